"""NVIDIA devices as NVIDIA would certify them, or as somebody would forge them."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256, sha384
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

NOW = datetime(2031, 3, 1, 12, tzinfo=UTC)
ROOT_KEY, CA_KEY, DEVICE_KEY = (ec.derive_private_key(scalar, ec.SECP384R1()) for scalar in (81, 83, 89))
FIRMWARE = sha384(b"firmware").digest()


def composite_device_id(firmware: bytes = FIRMWARE) -> bytes:
    digest = b"\x30\x3d" + bytes.fromhex("0609608648016503040202") + b"\x04\x30" + firmware
    inner = b"\x02\x01\x01" + b"\x30\x00" + digest
    return b"\x30" + bytes((len(inner),)) + inner


def certificate(
    key: Any,
    name: str,
    issuer: str,
    issuer_key: Any,
    *,
    ca: bool,
    days: int = 30,
    firmware: bytes | None = None,
) -> x509.Certificate:
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, n)]) for n in (name, issuer)]
    builder = (
        x509.CertificateBuilder()
        .subject_name(names[0])
        .issuer_name(names[1])
        .public_key(key.public_key())
        .serial_number(len(name))
        .not_valid_before(NOW - timedelta(days=60))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False), critical=True)
    )
    if ca:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    if firmware is not None:
        oid = ObjectIdentifier("2.23.133.5.4.1")
        builder = builder.add_extension(
            x509.UnrecognizedExtension(oid, composite_device_id(firmware)), critical=False
        )
    return builder.sign(issuer_key, SHA384())


ROOT = certificate(ROOT_KEY, "Root", "Root", ROOT_KEY, ca=True)
CA = certificate(CA_KEY, "Family", "Root", ROOT_KEY, ca=True)
DEVICE = certificate(DEVICE_KEY, "Device", "Family", CA_KEY, ca=False, firmware=FIRMWARE)
ROOT_SHA256 = sha256(ROOT.public_bytes(Encoding.DER)).digest()


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


CHAIN = pem(DEVICE, CA, ROOT)


def crl(*revoked: int, issuer: str = "Root", key: Any = ROOT_KEY, days: int = 10) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .last_update(NOW - timedelta(days=20))
        .next_update(NOW + timedelta(days=days))
    )
    for serial in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(key, SHA384()).public_bytes(Encoding.DER)


def block(index: int, value: bytes, *, specification: int = 1) -> bytes:
    inner = b"\1" + len(value).to_bytes(2, "little") + value
    return bytes((index, specification)) + len(inner).to_bytes(2, "little") + inner


def opaque(fields: list[tuple[int, bytes]]) -> bytes:
    return b"".join(
        kind.to_bytes(2, "little") + len(value).to_bytes(2, "little") + value for kind, value in fields
    )


FIELDS = [(3, b"590.12\0"), (6, bytes.fromhex("00a5009601000000")), (20, FIRMWARE), (36, b"\2\0")]


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """What goes into an exchange; `but` forges a part."""

    request: bytes = bytes.fromhex("11e001ff")
    nonce: bytes = bytes(range(32))
    slot: int = 0
    response: bytes = bytes.fromhex("11600000")
    blocks: list[bytes] = field(default_factory=lambda: [block(n, bytes((n,)) * 48) for n in (1, 2, 3)])
    count: int | None = None
    fields: list[tuple[int, bytes]] = field(default_factory=lambda: list(FIELDS))
    key: Any = DEVICE_KEY
    tail: bytes = b""

    def but(self, **changes: Any) -> "Exchange":
        return replace(self, **changes)

    def encode(self) -> bytes:
        record, own = b"".join(self.blocks), opaque(self.fields)
        count = len(self.blocks) if self.count is None else self.count
        signed = (
            self.request + self.nonce + bytes((self.slot,)) + self.response + bytes((count,))
            + len(record).to_bytes(3, "little") + record + bytes(32)
            + len(own).to_bytes(2, "little") + own
        )  # fmt: skip
        r, s = decode_dss_signature(self.key.sign(signed, ec.ECDSA(SHA384())))
        return signed + r.to_bytes(48, "big") + s.to_bytes(48, "big") + self.tail
