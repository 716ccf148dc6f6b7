"""Reading the certificates of DCAP: strictly, with their form checked, signatures not.

Source: Intel SGX PCK Certificate and Certificate Revocation List Profile Specification; RFC 5280
sections 4.2.1.3 and 4.2.1.9. Names are compared with each other only, never with a vendor's.
"""

import re
from binascii import b2a_base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

from sealmesh.attestation.validity import Validity
from sealmesh.errors.attestation import EndorsementFormatError, VerificationError

MAX_CHAIN_BYTES = 32 * 1024
"""Three certificates of about 1 kB each are usual."""

MALFORMED = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    UserWarning,
)
"""What `cryptography` raises for certificates and revocation lists that it cannot read; the warnings
(serial number not positive, odd lengths in names) where warnings are errors."""

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----\r?\n[A-Za-z0-9+/=\r\n]+-----END CERTIFICATE-----(?:\r?\n)*")
_KNOWN_CRITICAL = {ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE}


class Role(StrEnum):
    """What a certificate is for; the value is its subject in error codes."""

    PCK = "pck"
    CA = "ca"
    ROOT = "root"
    TCB_SIGNING = "tcb signing"

    @property
    def is_ca(self) -> bool:
        """Whether such a certificate issues others."""
        return self in (Role.CA, Role.ROOT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate that can be read in all its fields and has a P-256 key. Nothing else is checked yet.

    Attributes:
        role: What it should be for.
        loaded: The certificate, for verifying its signature.
        der: Its bytes.
        key: Its public key.
        subject: Its name.
        issuer: The name of who should have signed it.
        serial: Its serial number.
        validity: From notBefore to notAfter.
        extensions: Parsed.
    """

    role: Role
    loaded: x509.Certificate
    der: bytes
    key: ec.EllipticCurvePublicKey
    subject: x509.Name
    issuer: x509.Name
    serial: int
    validity: Validity
    extensions: x509.Extensions

    @property
    def sha256(self) -> bytes:
        """The fingerprint: SHA-256 of the DER."""
        digest = Hash(SHA256())
        digest.update(self.der)
        return digest.finalize()


def parse_chain(pem: bytes, *roles: Role, known: Sequence[Certificate] = ()) -> tuple[Certificate, ...]:
    """Parse PEM certificates, leaf first, exactly one for each of `roles`.

    One NUL after the last is allowed, as Intel's quoting library leaves it there.

    Args:
        pem: The certificates.
        roles: What each is for.
        known: Certificates that were parsed before: those of the same bytes and role are not parsed again.

    Raises:
        EndorsementFormatError: Too long, another number of certificates, anything between or after
            them, or one that cannot be read.
        VerificationError: `profile:<role>`, a key that is not on P-256.
    """
    name = f"{roles[0]} chain"
    if len(pem) > MAX_CHAIN_BYTES:
        raise EndorsementFormatError(
            f"the {name} is too long", code=f"limit:{name}", found=len(pem), wanted=MAX_CHAIN_BYTES
        )
    blocks = _split(pem, name, most=len(roles) + 1)
    if len(blocks) != len(roles):
        raise EndorsementFormatError(
            f"the {name} has the wrong number of certificates",
            code=f"format:{name}",
            found=len(blocks),
            wanted=f"{len(roles)}: {', '.join(roles)}",
        )
    return tuple(
        _recognize(block, role, known) or _parse(block, role)
        for block, role in zip(blocks, roles, strict=True)
    )


def _split(pem: bytes, name: str, *, most: int) -> list[bytes]:
    blocks: list[bytes] = []
    position, end = 0, len(pem) - pem.endswith(b"\0")
    while position < end and len(blocks) < most:
        match = _PEM.match(pem, position, end)
        if match is None:
            raise EndorsementFormatError(
                f"the {name} holds something other than PEM certificates", code=f"format:{name}"
            )
        blocks.append(match.group())
        position = match.end()
    return blocks


def _recognize(pem: bytes, role: Role, known: Sequence[Certificate]) -> Certificate | None:
    """Return the known certificate that this is, spelled as base64 must be."""
    text = b"".join(pem.split()[2:-2])
    return next((c for c in known if c.role is role and b2a_base64(c.der, newline=False) == text), None)


def _parse(pem: bytes, role: Role) -> Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        key = certificate.public_key()
        if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
            return _read(certificate, key, role)
    except MALFORMED as error:
        raise EndorsementFormatError(
            f"the {role} certificate cannot be read: {error}", code=f"format:{role} certificate"
        ) from error
    raise VerificationError(f"the key of the {role} certificate is not on P-256", code=f"profile:{role}")


def _read(certificate: x509.Certificate, key: ec.EllipticCurvePublicKey, role: Role) -> Certificate:
    """Read every field now: `cryptography` reads lazily, and a field that is broken must show here."""
    der = certificate.public_bytes(Encoding.DER)
    check_whole_signature(der, certificate.signature)
    return Certificate(
        role=role,
        loaded=certificate,
        der=der,
        key=key,
        subject=certificate.subject,
        issuer=certificate.issuer,
        serial=certificate.serial_number,
        validity=Validity(
            not_before=certificate.not_valid_before_utc, not_after=certificate.not_valid_after_utc
        ),
        extensions=certificate.extensions,
    )


def check_whole_signature(der: bytes, signature: bytes) -> None:
    """Refuse a signature whose BIT STRING declares unused bits: no signature covers that octet.

    Raises:
        ValueError: It does.
    """
    if not der.endswith(b"\0" + signature):
        raise ValueError("the signature is not of whole bytes")


def verify_link(child: Certificate, issuer: Certificate, *, now: datetime) -> None:
    """Accept `child` only if `issuer` issued it, it is as its role wants it, and valid at `now`.

    Does not look at revocation, nor at the issuer's own issuer.

    Raises:
        VerificationError: `chain:`, `signature:`, `profile:` or `expired:` and the child's role.
    """
    if child.issuer != issuer.subject:
        raise VerificationError(
            f"the {child.role} certificate was issued by another",
            code=f"chain:{child.role}",
            found=child.issuer.rfc4514_string(),
            wanted=issuer.subject.rfc4514_string(),
        )
    try:
        child.loaded.verify_directly_issued_by(issuer.loaded)
    except Exception as error:  # InvalidSignature, or any way of not being readable
        raise VerificationError(
            f"the signature on the {child.role} certificate does not verify", code=f"signature:{child.role}"
        ) from error
    verify_profile(child)
    child.validity.verify_contains(now, subject=child.role, name=f"{child.role} certificate")


def verify_profile(certificate: Certificate) -> None:
    """Accept a certificate only if its extensions fit its role.

    Raises:
        VerificationError: `profile:<role>`.
    """
    try:
        problem = _profile_problem(certificate)
    except (*MALFORMED, x509.ExtensionNotFound) as error:
        problem = str(error)
    if problem is not None:
        raise VerificationError(
            f"the {certificate.role} certificate is not as its profile has it: {problem}",
            code=f"profile:{certificate.role}",
        )


def _profile_problem(certificate: Certificate) -> str | None:
    extensions = certificate.extensions
    unknown = [e.oid.dotted_string for e in extensions if e.critical and e.oid not in _KNOWN_CRITICAL]
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    if certificate.serial <= 0:
        return "its serial number is not positive"
    if unknown:
        return f"unknown critical extensions {', '.join(unknown)}"
    if not isinstance(certificate.loaded.signature_hash_algorithm, SHA256):
        return "not signed with ECDSA and SHA-256"
    if constraints.value.ca is not certificate.role.is_ca:
        return f"its basic constraints say CA: {constraints.value.ca}"
    if not certificate.role.is_ca:
        return None if usage.digital_signature else "its key is not for signatures"
    if not (usage.key_cert_sign and usage.crl_sign and constraints.critical):
        return "its key is not for certificates and revocation lists"
    if certificate.role is Role.ROOT and constraints.value.path_length == 0:
        return "it may not have a CA below it"
    return None
