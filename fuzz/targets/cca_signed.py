"""What a CCA platform and its realm signed: any two payloads under good signatures."""

import cbor2

from fuzz.evidence import signed_target
from fuzz.makers import evidence_maker


def _sign(payloads: bytes) -> bytes:
    """Return a token: two bytes say how long the platform's payload is, then come both."""
    maker = evidence_maker().load("cca")
    length = int.from_bytes(payloads[:2], "big")
    platform, realm = payloads[2 : 2 + length], payloads[2 + length :]
    parts = {44234: maker.sign1(maker.PLATFORM_KEY, platform), 44241: maker.sign1(maker.REALM_KEY, realm)}
    return cbor2.dumps(cbor2.CBORTag(399, parts))


def _payloads() -> bytes:
    token = cbor2.loads(evidence_maker().load("cca").Token().encode())
    platform, realm = (cbor2.loads(token.value[key]).value[2] for key in (44234, 44241))
    return len(platform).to_bytes(2, "big") + bytes(platform) + bytes(realm)


TARGET = signed_target(
    seeds=lambda: {"payloads": _payloads()},
    sign=_sign,
    genuine=lambda: evidence_maker().genuine("cca"),
    words=(b"\x19\xac\xcc", b"\x19\x09\x5f", b"gsha-256", b"gsha-512", b"\x9f", b"\xbf", b"\xff"),
)
