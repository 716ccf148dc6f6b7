"""TPM quotes as a TPM would make them, or as somebody would forge them."""

from dataclasses import dataclass, field, replace
from hashlib import new, sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512

from sealmesh.attestation import encode_tpm_evidence, parse_evidence
from sealmesh.attestation.cbor import decode

AK = ec.derive_private_key(61, ec.SECP256R1())
ATTESTATION_KEY = 0x00050072  # restricted, sign, fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth
HASHES = {0x4: SHA1, 0xB: SHA256, 0xC: SHA384, 0xD: SHA512}
NAMES = {0x4: "sha1", 0xB: "sha256", 0xC: "sha384", 0xD: "sha512"}
LENGTHS = {0x4: 20, 0xB: 32, 0xC: 48, 0xD: 64}


def sized(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def public_area(key: Any, attributes: int = ATTESTATION_KEY) -> bytes:
    numbers = key.public_key().public_numbers()
    if isinstance(key, rsa.RSAPrivateKey):
        bits = key.key_size
        body = bytes.fromhex("00100014000b") + bits.to_bytes(2, "big") + bytes(4)
        tail = sized(numbers.n.to_bytes(bits // 8, "big"))
        return bytes.fromhex("0001000b") + attributes.to_bytes(4, "big") + bytes(2) + body + tail
    body = bytes.fromhex("00100018000b00030010")
    point = sized(numbers.x.to_bytes(32, "big")) + sized(numbers.y.to_bytes(32, "big"))
    return bytes.fromhex("0023000b") + attributes.to_bytes(4, "big") + bytes(2) + body + point


def selection(banks: list[tuple[int, list[int]]], *, size: int = 3) -> bytes:
    parts = [len(banks).to_bytes(4, "big")]
    for bank, indices in banks:
        bits = sum(1 << index for index in indices)
        parts.append(bank.to_bytes(2, "big") + bytes((size,)) + bits.to_bytes(size, "little"))
    return b"".join(parts)


def event(pcr: int, kind: int, data: bytes, *, banks: tuple[int, ...] = (0xB,), digest: Any = None) -> bytes:
    digests = b"".join(
        bank.to_bytes(2, "little") + (digest or new(NAMES[bank], data).digest()) for bank in banks
    )
    head = pcr.to_bytes(4, "little") + kind.to_bytes(4, "little") + len(banks).to_bytes(4, "little")
    return head + digests + len(data).to_bytes(4, "little") + data


def event_log(events: list[bytes], *, banks: tuple[int, ...] = (0xB,)) -> bytes:
    listed = b"".join(bank.to_bytes(2, "little") + LENGTHS[bank].to_bytes(2, "little") for bank in banks)
    specification = b"Spec ID Event03\0" + bytes(8) + len(banks).to_bytes(4, "little") + listed + b"\0"
    head = bytes(4) + (3).to_bytes(4, "little") + bytes(20) + len(specification).to_bytes(4, "little")
    return head + specification + b"".join(events)


def extended(*digests: bytes, start: bytes = bytes(32)) -> bytes:
    value = start
    for digest in digests:
        value = sha256(value + digest).digest()
    return value


def with_chain(raw: bytes, chain: tuple[bytes, ...]) -> bytes:
    """Return the same quote with somebody else's EK certificate beside it."""
    quote = parse_evidence(raw).quote
    return encode_tpm_evidence(
        attest=quote.attest.raw,
        signature=decode(raw, subject="tpm evidence").value["signature"],
        pcrs=quote.pcrs,
        key=quote.key.raw,
        ek_chain=chain,
    )


@dataclass(frozen=True, kw_only=True)
class Quote:
    """What goes into a quote; `but` forges a part."""

    key: Any = AK
    pcrs: dict[int, dict[int, bytes]] = field(default_factory=lambda: {0xB: {0: b"\1" * 32, 7: b"\2" * 32}})
    nonce: bytes = b"challenge"
    magic: bytes = b"\xffTCG"
    kind: int = 0x8018
    safe: int = 1
    quoted: bytes | None = None
    digest: bytes | None = None
    hash: int = 0xB
    scheme: int | None = None
    attributes: int = ATTESTATION_KEY
    with_key: bool = True
    log: bytes | None = None
    tail: bytes = b""

    def but(self, **changes: Any) -> "Quote":
        return replace(self, **changes)

    @property
    def attest(self) -> bytes:
        chosen = [(bank, sorted(values)) for bank, values in self.pcrs.items()]
        values = b"".join(self.pcrs[bank][index] for bank, indices in chosen for index in indices)
        digest = self.digest if self.digest is not None else new(NAMES[self.hash], values).digest()
        quoted = self.quoted if self.quoted is not None else selection(chosen)
        clock = (123456).to_bytes(8, "big") + (2).to_bytes(4, "big") + bytes(4) + bytes((self.safe,))
        head = self.magic + self.kind.to_bytes(2, "big") + sized(b"\0\x0b" + bytes(32)) + sized(self.nonce)
        return head + clock + (7).to_bytes(8, "big") + quoted + sized(digest) + self.tail

    @property
    def signature(self) -> bytes:
        rsa_key = isinstance(self.key, rsa.RSAPrivateKey)
        scheme = self.scheme or (0x14 if rsa_key else 0x18)
        digest = HASHES[self.hash]()
        if rsa_key:
            salted = PSS(mgf=MGF1(digest), salt_length=digest.digest_size)
            body = sized(self.key.sign(self.attest, salted if scheme == 0x16 else PKCS1v15(), digest))
        else:
            r, s = decode_dss_signature(self.key.sign(self.attest, ec.ECDSA(digest)))
            body = sized(r.to_bytes(32, "big")) + sized(s.to_bytes(32, "big"))
        return scheme.to_bytes(2, "big") + self.hash.to_bytes(2, "big") + body

    def encode(self) -> bytes:
        return encode_tpm_evidence(
            attest=self.attest,
            signature=self.signature,
            pcrs=self.pcrs,  # type: ignore[arg-type]
            key=public_area(self.key, self.attributes) if self.with_key else None,
            log=self.log,
        )
