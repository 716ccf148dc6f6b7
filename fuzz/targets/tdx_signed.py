"""What Intel's quoting enclave signed: any TD report under a good signature."""

from fuzz.evidence import signed_target
from fuzz.makers import evidence_maker

_HEADER, _SIGNED = 48, 48 + 584


def _sign(body: bytes) -> bytes:
    """Return a quote of version 4 over `body`, brought to its length."""
    header: bytes = evidence_maker().genuine("tdx").raw[:_HEADER]
    signed = header + body[:584].ljust(584, b"\0")
    signature: bytes = evidence_maker().machines().platform.nested_signature_data(signed)
    return signed + len(signature).to_bytes(4, "little") + signature


TARGET = signed_target(
    seeds=lambda: {"report": evidence_maker().genuine("tdx").raw[_HEADER:_SIGNED]},
    sign=_sign,
    genuine=lambda: evidence_maker().genuine("tdx"),
)
