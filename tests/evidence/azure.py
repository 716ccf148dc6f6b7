"""Azure confidential VMs over simulated SNP and TDX, as Azure would make them, or as a forger would."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

AK = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PCRS = {index: bytes((index,)) * 32 for index in range(24)}


def base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def runtime_claims(key: Any = AK, **changes: Any) -> dict[str, Any]:
    numbers = key.public_key().public_numbers()
    jwk = {
        "kid": "HCLAkPub",
        "key_ops": ["sign"],
        "kty": "RSA",
        "e": "AQAB",
        "n": base64url(numbers.n.to_bytes(256, "big")),
    }
    return {"keys": [jwk], "vm-configuration": {"secure-boot": True}, "user-data": "00" * 64, **changes}


@dataclass(frozen=True, kw_only=True)
class Vm:
    """What goes into the Evidence; `but` forges a part.

    Attributes:
        report: Makes the hardware's report (1184 bytes) over 64 bytes.
        quote: Makes the TD quote over 64 bytes; None with SNP.
        attest: Makes the vTPM's TPMS_ATTEST from registers.
    """

    attest: Callable[[dict[int, bytes]], bytes]
    report: Callable[[bytes], bytes]
    vcek: bytes = b""
    quote: Callable[[bytes], bytes] | None = None
    claims: dict[str, Any] = field(default_factory=runtime_claims)
    key: Any = AK
    pcrs: dict[int, bytes] = field(default_factory=lambda: dict(PCRS))
    bound: bytes | None = None
    header: bytes = b"HCLA"
    padding: bytes = bytes(100)
    extra: dict[str, Any] = field(default_factory=dict)
    version: Any = 1

    def but(self, **changes: Any) -> "Vm":
        return replace(self, **changes)

    def hcl(self) -> tuple[bytes, bytes]:
        """The paravisor's report, and what the hardware was asked for."""
        claims = json.dumps(self.claims, separators=(",", ":")).encode()
        data = (self.bound if self.bound is not None else sha256(claims).digest()).ljust(64, b"\0")
        numbers = (20 + len(claims), 1, 4 if self.quote else 2, 1, len(claims))
        body = b"".join(number.to_bytes(4, "little") for number in numbers) + claims
        head = self.header + b"".join(
            number.to_bytes(4, "little") for number in (2 if self.quote else 1, 32 + 1184 + len(body), 2, 0)
        )
        return head + bytes(12) + self.report(data) + body + self.padding, data

    def encode(self) -> bytes:
        hcl, data = self.hcl()
        message = self.attest(self.pcrs)
        below = {"td_quote": base64url(self.quote(data))} if self.quote else {"vcek": base64url(self.vcek)}
        document = {
            "version": self.version,
            "hcl_report": base64url(hcl),
            "tpm_quote": {
                "message": message.hex(),
                "signature": self.key.sign(message, PKCS1v15(), SHA256()).hex(),
                "pcrs": [self.pcrs[index].hex() for index in range(24)],
            },
            **below,
            **self.extra,
        }
        return json.dumps(document).encode()


def td_report(quote: bytes) -> bytes:
    """The TDREPORT that a quote of version 4 was made from, as the paravisor keeps it."""
    body = quote[48 : 48 + 584]
    report = bytearray(1184)
    report[264:384], report[512:912], report[128:192] = body[:120], body[120:520], body[520:]
    return bytes(report)
