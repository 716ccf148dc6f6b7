"""Certificates like one that was issued before: its bytes, but for what makes each its own.

Marbles of one type differ in name, key, serial number and validity; so do the certificates that a manifest
defines, but for the name. The first of a kind is written from its profile by the library and checked field
by field (`issuing`). A `Stencil` is cut from that one, and the next are its checked bytes with the four parts
put in, which costs little more than the signature.

What comes out is read back as the first was, and every part that should be there has to stand where a reader
finds it (RFC 5280, 4.1). A CA's certificate names its own key in an extension, so it has no stencil.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.errors.pki import IssuingError
from sealmesh.pki.identity import spki
from sealmesh.pki.profile import Validity
from sealmesh.pki.reading import ECDSA_WITH_SHA384, UNREADABLE, SignedFields, signed_fields

#: From this year on times are written as GeneralizedTime (RFC 5280, 4.1.2.5).
_GENERALIZED_FROM: Final = 2050
_INTEGER, _BIT_STRING, _UTC_TIME, _GENERALIZED_TIME, _SEQUENCE = 0x02, 0x03, 0x17, 0x18, 0x30
_SERIALS: Final = 1 << 159
_SIGNATURE: Final = ec.ECDSA(hashes.SHA384())
#: A mesh issues few kinds at a time, but who may choose host names could ask for ever new ones.
_KEPT: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Stencil:
    """The parts that certificates of a kind share, in DER.

    Attributes:
        own_name: What stands in `subject` and `extensions` of the first one, where it names itself and
            nowhere else; each other has a text of the same length there. Empty for a kind without such names.
    """

    version: bytes
    issuer: bytes
    subject: bytes
    extensions: bytes
    own_name: bytes

    @classmethod
    def cut(cls, certificate: x509.Certificate, *, own_name: str = "", places: int = 0) -> "Stencil | None":
        """Return the stencil of a certificate that was checked.

        None where `own_name` stands anywhere but once in the subject and `places` times in the extensions: a
        host name, say, that contains it must not change with it.
        """
        fields = signed_fields(certificate.public_bytes(Encoding.DER))
        own = own_name.encode()
        if own and (fields.subject.count(own) != 1 or fields.extensions.count(own) != places):
            return None
        return cls(
            version=fields.version,
            issuer=fields.issuer,
            subject=fields.subject,
            extensions=fields.extensions,
            own_name=own,
        )

    def issue(
        self,
        key: ec.EllipticCurvePrivateKey,
        *,
        public_key: CertificatePublicKeyTypes,
        serial: int,
        validity: Validity,
        own_name: str = "",
    ) -> x509.Certificate:
        """Sign another certificate of the kind with ECDSA and SHA-384.

        Args:
            key: The issuer's.
            public_key: The holder's.
            serial: Of 1 to 159 bits (RFC 5280, 4.1.2.2).
            validity: Begins before it ends, within the issuer's.
            own_name: As long as the first one's, in ASCII.

        Raises:
            IssuingError: A number out of range, a name of another length, or what was written does not read
                as meant.
        """
        own = own_name.encode()
        if len(own) != len(self.own_name) or not validity.not_before <= validity.not_after:
            raise IssuingError("Not a certificate of this kind", found=own_name or str(validity))
        if not 0 < serial < _SERIALS:
            raise IssuingError("The certificate cannot be written", found=f"serial number {serial}")
        fields = SignedFields(
            version=self.version,
            issuer=self.issuer,
            subject=self.subject.replace(self.own_name, own) if own else self.subject,
            public_key=spki(public_key),
            extensions=self.extensions.replace(self.own_name, own) if own else self.extensions,
        )
        signed = _tbs(fields, serial, validity)
        signature = key.sign(signed, _SIGNATURE)
        no_unused_bits = b"\x00"
        der = _element(
            _SEQUENCE, signed + ECDSA_WITH_SHA384 + _element(_BIT_STRING, no_unused_bits + signature)
        )
        certificate = _read_back(der, fields, serial, validity)
        if (certificate.tbs_certificate_bytes, certificate.signature) != (signed, signature):
            raise IssuingError("What was issued differs from what was asked for")
        return certificate


class Stencils:
    """The stencils of one issuer, by what their kinds have in common. Threads may share one."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, Stencil] = {}

    def get(self, kind: Hashable) -> Stencil | None:
        """Return the stencil for `kind`, None before `keep`."""
        return self._kept.get(kind)

    def keep(
        self, kind: Hashable, certificate: x509.Certificate, *, own_name: str = "", places: int = 0
    ) -> None:
        """Cut the stencil for `kind` from its first certificate, if it can be (`Stencil.cut`)."""
        stencil = Stencil.cut(certificate, own_name=own_name, places=places)
        if stencil is not None:
            kept = self._kept if len(self._kept) < _KEPT else {}
            self._kept = {**kept, kind: stencil}


def _tbs(fields: SignedFields, serial: int, validity: Validity) -> bytes:
    return _element(
        _SEQUENCE,
        b"".join(
            (
                fields.version,
                _element(_INTEGER, serial.to_bytes(serial.bit_length() // 8 + 1, "big")),
                ECDSA_WITH_SHA384,
                fields.issuer,
                _element(_SEQUENCE, _time(validity.not_before) + _time(validity.not_after)),
                fields.subject,
                fields.public_key,
                fields.extensions,
            )
        ),
    )


def _time(moment: datetime) -> bytes:
    parts = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
    if moment.year >= _GENERALIZED_FROM:
        return _element(_GENERALIZED_TIME, b"%04d%02d%02d%02d%02d%02dZ" % parts)
    return _element(_UTC_TIME, b"%02d%02d%02d%02d%02d%02dZ" % (moment.year % 100, *parts[1:]))


def _element(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _read_back(der: bytes, fields: SignedFields, serial: int, validity: Validity) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(der)
        right = (
            0 < certificate.serial_number == serial
            and Validity.of(certificate) == validity
            and signed_fields(der) == fields
        )
    except UNREADABLE as error:
        raise IssuingError("What was issued cannot be read back", found=str(error)) from error
    if not right:
        raise IssuingError("What was issued differs from what was asked for")
    return certificate
