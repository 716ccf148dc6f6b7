"""Attestation Results: ask a Coordinator for one, and verify one that somebody shows.

Verifying needs no network: the token carries the signer's chain, and the reader has the mesh's root.
"""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key

from sealmesh.attestation.results import Ear, Form, parse_token, verify_token
from sealmesh.client.answers import content_of
from sealmesh.client.exchange import OWN, Exchange, get, nonce_query
from sealmesh.errors.pki import PkiError
from sealmesh.errors.results import ResultFormatError, ResultVerificationError
from sealmesh.pki import trust_domain, verify_authority_chain
from sealmesh.pki.reading import UNREADABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedResult:
    """What a token says, whose signature and time hold.

    Attributes:
        signer: The trust domain of the mesh whose Coordinator signed it; empty where it was a given key.
    """

    ear: Ear
    form: Form
    signer: str = ""


def read_result(
    form: Form, *, marble_type: str = "", uuid: str = "", nonce: bytes | None = None
) -> Exchange[bytes]:
    """Return the token about a Marble's last admission, unverified.

    Without type and UUID that of the Marble whose certificate the connection shows.
    """
    whose = [("marble", marble_type), ("uuid", uuid)] if marble_type or uuid else []
    fresh = [nonce_query(nonce)] if nonce else []
    request = get(f"{OWN}/results", ("form", form.value), *whose, *fresh)
    return content_of(request, (yield request))


def verify_result(
    token: bytes, *, root: x509.Certificate, now: datetime, nonce: bytes | None = None
) -> VerifiedResult:
    """Return what `token` says, if the Coordinator of the mesh with this root signed it.

    Args:
        token: JWT or CWT, as it came.
        root: The Coordinator's root certificate, which was verified before (`sealmesh verify`).
        now: Aware UTC.
        nonce: What the reader had sent; None: the token need not be for anything.

    Raises:
        ResultVerificationError: `result-chain`, or as `attestation.results.verify_token`.
        ResultFormatError: It is no such token.
    """
    unverified = parse_token(token)
    anchor = root.public_bytes(Encoding.DER)
    try:
        signer = verify_authority_chain(unverified.chain, root=anchor, now=now)
    except PkiError as error:
        raise ResultVerificationError(
            "the result is not signed by the Coordinator of this mesh",
            code="result-chain",
            found=str(error),
            wanted=f"a chain to {root.subject.rfc4514_string()}",
        ) from error
    ear = verify_token(unverified, signer.public_key(), now=now, nonce=nonce)
    return VerifiedResult(ear=ear, form=unverified.form, signer=trust_domain(root.public_key()))


def verify_result_of_key(
    token: bytes, *, key: PublicKeyTypes, now: datetime, nonce: bytes | None = None
) -> VerifiedResult:
    """Return what `token` says, if the holder of this key signed it.

    Raises:
        ResultVerificationError, ResultFormatError: As for `verify_result`; a chain is not looked at.
    """
    unverified = parse_token(token)
    return VerifiedResult(ear=verify_token(unverified, key, now=now, nonce=nonce), form=unverified.form)


def public_key_in(pem: bytes) -> PublicKeyTypes:
    """Return the public key in a PEM file.

    Raises:
        ResultFormatError: `result-root`: There is none.
    """
    try:
        return load_pem_public_key(pem)
    except UNREADABLE as error:
        raise ResultFormatError(
            "the public key cannot be read", code="result-root", wanted="PEM, BEGIN PUBLIC KEY"
        ) from error


def root_in(pem: bytes) -> x509.Certificate:
    """Return the one self-issued certificate in a PEM file: of a root alone, or of a chain up to it.

    Raises:
        ResultFormatError: `result-root`: There is none, or there are several.
    """
    try:
        found = [item for item in x509.load_pem_x509_certificates(pem) if item.issuer == item.subject]
    except UNREADABLE as error:
        raise ResultFormatError("the root cannot be read", code="result-root", wanted="PEM") from error
    if len(found) != 1:
        raise ResultFormatError(
            "the file must hold one root certificate", code="result-root", found=len(found), wanted=1
        )
    return found[0]
