"""The mesh's authority: root, intermediate and Marble root, with their keys.

The Marble root is the intermediate's key and name, self-signed: a Marble's certificate chains to the
Coordinator's root through the intermediate, and to the Marble root directly (COMPAT, section 6).

Invariant: an `Authority` that exists has been proved. Keys are those in the certificates, and every
certificate is signed by the key that should have signed it. So issuing need not verify signatures again.
"""

from dataclasses import dataclass, field
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from sealmesh.errors.pki import AuthorityError, IssuingError
from sealmesh.pki.extensions import says_simulation
from sealmesh.pki.identity import spki, trust_domain
from sealmesh.pki.issuing import Issuer, check_signed_by
from sealmesh.pki.p384 import swift
from sealmesh.pki.profile import Validity
from sealmesh.pki.reading import UNREADABLE

_MAGIC: Final = b"sealmesh authority 1\n"
_LENGTH_BYTES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """Root, intermediate, Marble root. Private keys stay out of `repr`.

    Attributes:
        trust_domain: Of the root's key.
        simulation: Whether this mesh accepts Evidence of a simulated TEE.
        marble_issuer: What signs leaves; derived once. Its span is where intermediate and Marble root are
            both valid, so that a leaf chains to either for all its life.
    """

    root_cert: x509.Certificate
    root_key: ec.EllipticCurvePrivateKey = field(repr=False)
    intermediate_cert: x509.Certificate
    intermediate_key: ec.EllipticCurvePrivateKey = field(repr=False)
    marble_root_cert: x509.Certificate
    trust_domain: str = field(init=False)
    simulation: bool = field(init=False)
    root_der: bytes = field(init=False, repr=False, compare=False)
    intermediate_der: bytes = field(init=False, repr=False, compare=False)
    marble_root_der: bytes = field(init=False, repr=False, compare=False)
    marble_issuer: Issuer = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Every Marble gets them: written once.
        for name in ("root", "intermediate", "marble_root"):
            der = getattr(self, f"{name}_cert").public_bytes(Encoding.DER)
            object.__setattr__(self, f"{name}_der", der)
        object.__setattr__(self, "trust_domain", trust_domain(self.root_key.public_key()))
        object.__setattr__(self, "simulation", says_simulation(self.intermediate_cert.extensions))
        span = Validity.of(self.intermediate_cert).intersect(Validity.of(self.marble_root_cert))
        issuer = Issuer.of(self.intermediate_cert, self.intermediate_key, validity=span)
        object.__setattr__(self, "marble_issuer", issuer)
        self._prove()

    @property
    def validity(self) -> Validity:
        """The span in which all three certificates are valid."""
        return self.marble_issuer.validity.intersect(Validity.of(self.root_cert))

    def to_bytes(self) -> bytes:
        """Return everything, private keys included, as bytes that have to be sealed."""
        fields = (
            self.root_der,
            _key_bytes(self.root_key),
            self.intermediate_der,
            _key_bytes(self.intermediate_key),
            self.marble_root_der,
        )
        return _MAGIC + b"".join(len(item).to_bytes(_LENGTH_BYTES, "big") + item for item in fields)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Authority":
        """Read what `to_bytes` wrote and prove that it fits together.

        Raises:
            AuthorityError: Another format, trailing bytes, or keys and certificates that do not fit.
        """
        fields = _fields(data)
        try:
            return cls(
                root_cert=x509.load_der_x509_certificate(fields[0]),
                root_key=_key(fields[1]),
                intermediate_cert=x509.load_der_x509_certificate(fields[2]),
                intermediate_key=_key(fields[3]),
                marble_root_cert=x509.load_der_x509_certificate(fields[4]),
            )
        except UNREADABLE as error:
            raise AuthorityError("A key or certificate of the stored authority cannot be read") from error

    def _prove(self) -> None:
        intermediate = spki(self.intermediate_key.public_key())
        if not (
            spki(self.root_cert.public_key()) == spki(self.root_key.public_key())
            and spki(self.intermediate_cert.public_key()) == intermediate
            and spki(self.marble_root_cert.public_key()) == intermediate
            and self.root_cert.issuer == self.root_cert.subject == self.intermediate_cert.issuer
            and self.marble_root_cert.issuer
            == self.marble_root_cert.subject
            == self.intermediate_cert.subject
        ):
            raise AuthorityError("The authority's keys, names and certificates do not fit together")
        try:
            check_signed_by(self.root_cert, self.root_key.public_key())
            check_signed_by(self.intermediate_cert, self.root_key.public_key())
            check_signed_by(self.marble_root_cert, self.intermediate_key.public_key())
        except IssuingError as error:
            raise AuthorityError("A certificate of the authority has a bad signature") from error


def _key_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _key(der: bytes) -> ec.EllipticCurvePrivateKey:
    key = load_der_private_key(der, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP384R1):
        raise AuthorityError("A key of the stored authority is not on P-384")
    return swift(key)


def _fields(data: bytes) -> list[bytes]:
    if not data.startswith(_MAGIC):
        raise AuthorityError("Not a stored authority of this version")
    fields, at = [], len(_MAGIC)
    while at < len(data):
        length = int.from_bytes(data[at : at + _LENGTH_BYTES], "big")
        at += _LENGTH_BYTES
        fields.append(data[at : at + length])
        at += length
    if at != len(data) or len(fields) != 5:
        raise AuthorityError("The stored authority is cut off or has bytes too many")
    return fields
