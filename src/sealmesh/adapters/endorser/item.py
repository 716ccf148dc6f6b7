"""One thing that an endorsement server publishes: where it is, how it is read, how long it is good.

What is read here is not verified: `attestation` does that with every use. Dates are read from the signed
data to know how long it can serve.
"""

import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Final
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from sealmesh.adapters.endorser.fetching import Reply
from sealmesh.attestation import Family, Validity
from sealmesh.errors.attestation import EndorsementFormatError

MALFORMED: Final = (ValueError, TypeError, x509.InvalidVersion, x509.DuplicateExtension)
_OCSP_PEM: Final = re.compile(
    rb"-----BEGIN OCSP RESPONSE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END OCSP RESPONSE-----"
)
_HEX: Final = re.compile(rb"\s*[0-9a-fA-F]+\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """An item's content, unverified.

    Attributes:
        parts: By name.
        issued: The date of the document itself: a newer one replaces an older one.
        validity: When it holds by its own dates and those of its issuer chain.
    """

    parts: Mapping[str, bytes]
    issued: datetime
    validity: Validity


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something published.

    Attributes:
        key: What it is, for one server; a file name.
        url: Where it is.
        headers: Names of the headers that belong to it, in lower case.
        read: Reads an answer.
        platform: The family, where it is about one platform only: then the server may well not have it, and
            strangers can make us ask for as many as they like.

    `read` raises AttestationError when the answer is something else.
    """

    key: str
    url: str
    headers: tuple[str, ...]
    read: Callable[[Reply], Published]
    platform: Family | None = None


def read_crl(reply: Reply) -> Published:
    """Read a revocation list, given as DER, PEM or hexadecimal text (PCCS): part `crl`, DER."""
    der = reply.body
    try:
        if _HEX.fullmatch(der):
            der = binascii.unhexlify(der.strip())
        pem = der.lstrip().startswith(b"-----BEGIN")
        crl = x509.load_pem_x509_crl(der) if pem else x509.load_der_x509_crl(der)
        until = crl.next_update_utc
        if until is None:
            raise ValueError("it has no next update")
        validity = Validity(not_before=crl.last_update_utc, not_after=until)
        return Published(
            parts={"crl": crl.public_bytes(Encoding.DER)}, issued=validity.not_before, validity=validity
        )
    except MALFORMED as error:
        raise EndorsementFormatError(f"the answer is no revocation list: {error}") from error


def read_certificates(reply: Reply) -> Published:
    """Read certificates, PEM or one in DER: part `pem`."""
    try:
        is_pem = reply.body.lstrip().startswith(b"-----BEGIN")
        found = (
            x509.load_pem_x509_certificates(reply.body)
            if is_pem
            else [x509.load_der_x509_certificate(reply.body)]
        )
        validity = _common(found)
        pem = b"".join(one.public_bytes(Encoding.PEM) for one in found)
        return Published(parts={"pem": pem}, issued=validity.not_before, validity=validity)
    except MALFORMED as error:
        raise EndorsementFormatError(f"the answer is no certificate: {error}") from error


def read_ocsp(reply: Reply) -> Published:
    """Read an OCSP response, DER or PEM: part `ocsp`, DER."""
    try:
        pem = _OCSP_PEM.fullmatch(reply.body.strip())
        der = reply.body if pem is None else binascii.a2b_base64(pem[1])
        response = ocsp.load_der_ocsp_response(der)
        until = response.next_update_utc
        if until is None:
            raise ValueError("it has no next update")
        validity = Validity(not_before=response.this_update_utc, not_after=until)
        return Published(parts={"ocsp": der}, issued=validity.not_before, validity=validity)
    except MALFORMED as error:
        raise EndorsementFormatError(f"this is no OCSP response: {error}") from error


def chain_in(reply: Reply, names: tuple[str, ...]) -> bytes:
    """Return the issuer chain in a header, PEM."""
    for name in names:
        if name in reply.headers:
            chain = unquote(reply.headers[name]).encode()
            return chain if chain.endswith(b"\n") else chain + b"\n"
    raise EndorsementFormatError("the answer has no issuer chain", wanted=" or ".join(names))


def validity_of_chain(pem: bytes) -> Validity:
    """Return when all certificates of a chain are valid."""
    try:
        return _common(x509.load_pem_x509_certificates(pem))
    except MALFORMED as error:
        raise EndorsementFormatError(f"the issuer chain cannot be read: {error}") from error


def _common(certificates: list[x509.Certificate]) -> Validity:
    return reduce(
        Validity.intersect,
        (Validity(not_before=c.not_valid_before_utc, not_after=c.not_valid_after_utc) for c in certificates),
    )
