"""Reading one certificate. Nothing is verified here. Source: RFC 5280 section 4.1."""

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256, Hash

from sealmesh.attestation.certification.der import (
    DerReader,
    Tag,
    read_boolean,
    read_oid,
    read_time,
    read_whole_bits,
)
from sealmesh.attestation.certification.names import format_name
from sealmesh.attestation.certification.public_key import PublicKey, load_spki
from sealmesh.attestation.validity import Validity
from sealmesh.errors.attestation import EndorsementFormatError

MAX_CERTIFICATE_BYTES = 8 * 1024
"""The longest vendor certificates have 2 kB."""

_VERSION_3 = b"\x02\x01\x02"
_BASIC_CONSTRAINTS = "2.5.29.19"
_KEY_USAGE = "2.5.29.15"
_PATH_WITHOUT_LIMIT = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """An extension: whether whoever does not know it must refuse, and its value's DER."""

    critical: bool
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate, taken apart.

    Attributes:
        der: Its bytes.
        signed: The part that the signature covers.
        algorithm: The AlgorithmIdentifier of the signature, DER.
        signature: The signature.
        serial: May be 0, as in AMD's VCEK certificates.
        issuer: The Name of who should have signed it, DER.
        subject: Its own Name, DER.
        validity: From notBefore to notAfter.
        key: Its public key.
        extensions: By OID.
    """

    der: bytes
    signed: bytes
    algorithm: bytes
    signature: bytes
    serial: int
    issuer: bytes
    subject: bytes
    validity: Validity
    key: PublicKey
    extensions: Mapping[str, Extension]

    @property
    def sha256(self) -> bytes:
        """The fingerprint: SHA-256 of the DER."""
        digest = Hash(SHA256())
        digest.update(self.der)
        return digest.finalize()

    @property
    def subject_name(self) -> str:
        """The subject as RFC 4514 writes it."""
        return format_name(self.subject)

    def path_length(self) -> int | None:
        """Return how many CAs may stand below this one, or None if it is not a CA (section 4.2.1.9)."""
        extension = self.extensions.get(_BASIC_CONSTRAINTS)
        if extension is None:
            return None
        outer = DerReader(extension.value)
        constraints = outer.sequence()
        outer.finish()
        is_ca = constraints.tag == Tag.BOOLEAN and read_boolean(constraints.content(Tag.BOOLEAN))
        limit = constraints.integer() if constraints.tag == Tag.INTEGER else _PATH_WITHOUT_LIMIT
        constraints.finish()
        if limit < 0:
            raise ValueError("a negative path length")
        return limit if is_ca else None

    def may(self, bit: int) -> bool:
        """Return whether the key usage allows this bit; without the extension all is (section 4.2.1.3)."""
        extension = self.extensions.get(_KEY_USAGE)
        if extension is None:
            return True
        outer = DerReader(extension.value)
        content = outer.content(Tag.BIT_STRING)
        outer.finish()
        if not 2 <= len(content) <= 3 or content[0] > 7:
            raise ValueError("a key usage of another form")
        return bit // 8 < len(content) - 1 and bool(content[1 + bit // 8] & 0x80 >> bit % 8)


def parse_certificate(der: bytes, *, subject: str) -> Certificate:
    """Parse a certificate.

    Args:
        der: Its bytes.
        subject: What it is called in errors.

    Raises:
        EndorsementFormatError: `format:<subject> certificate` or `limit:<subject> certificate`.
    """
    if len(der) > MAX_CERTIFICATE_BYTES:
        raise EndorsementFormatError(
            f"the {subject} certificate is too long",
            code=f"limit:{subject} certificate",
            found=len(der),
            wanted=MAX_CERTIFICATE_BYTES,
        )
    try:
        return _parse(der)
    except (ValueError, OverflowError) as error:
        raise EndorsementFormatError(
            f"the {subject} certificate cannot be read: {error}", code=f"format:{subject} certificate"
        ) from error


def _parse(der: bytes) -> Certificate:
    outer = DerReader(der)
    certificate = outer.sequence()
    outer.finish()
    signed = certificate.element(Tag.SEQUENCE)
    algorithm = certificate.element(Tag.SEQUENCE)
    signature = read_whole_bits(certificate.content(Tag.BIT_STRING))
    certificate.finish()

    fields = DerReader(signed).sequence()
    if fields.content(0xA0) != _VERSION_3:
        raise ValueError("not of version 3")
    serial = fields.integer()
    if fields.element(Tag.SEQUENCE) != algorithm:
        raise ValueError("two different signature algorithms")
    issuer = fields.element(Tag.SEQUENCE)
    validity = _validity(fields.sequence())
    subject = fields.element(Tag.SEQUENCE)
    format_name(issuer)
    format_name(subject)
    key = load_spki(fields.element(Tag.SEQUENCE))
    extensions = fields.optional(0xA3)
    fields.finish()
    found = Certificate(
        der=der,
        signed=signed,
        algorithm=algorithm,
        signature=signature,
        serial=serial,
        issuer=issuer,
        subject=subject,
        validity=validity,
        key=key,
        extensions={} if extensions is None else read_extensions(extensions),
    )
    found.path_length()
    found.may(0)
    return found


def _validity(fields: DerReader) -> Validity:
    not_before, not_after = read_time(fields), read_time(fields)
    fields.finish()
    return Validity(not_before=not_before, not_after=not_after)


def read_extensions(content: bytes) -> dict[str, Extension]:
    """Return the extensions in the content of an explicit tag, by OID; none may stand twice."""
    outer = DerReader(content)
    sequence = outer.sequence()
    outer.finish()
    extensions: dict[str, Extension] = {}
    while sequence.tag == Tag.SEQUENCE:
        fields = sequence.sequence()
        oid = read_oid(fields.content(Tag.OID))
        critical = fields.tag == Tag.BOOLEAN and read_boolean(fields.content(Tag.BOOLEAN))
        value = fields.content(Tag.OCTET_STRING)
        fields.finish()
        if oid in extensions:
            raise ValueError(f"the extension {oid} stands twice")
        extensions[oid] = Extension(critical=critical, value=value)
    sequence.finish()
    return extensions
