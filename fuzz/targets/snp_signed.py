"""What the AMD secure processor signed: any report under a good signature."""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from fuzz.evidence import signed_target
from fuzz.makers import evidence_maker

_SIGNED, _REPORT = 0x2A0, 1184


def _sign(report: bytes) -> bytes:
    """Return the report, brought to its length, with a signature of the simulated chip."""
    own: bytes = evidence_maker().genuine("snp").raw
    signed = report[:_SIGNED].ljust(_SIGNED, b"\0")
    scalars = decode_dss_signature(evidence_maker().machines().chip.key.sign(signed, ec.ECDSA(SHA384())))
    signature = b"".join(scalar.to_bytes(72, "little") for scalar in scalars)
    return (signed + signature).ljust(_REPORT, b"\0") + bytes(own[_REPORT:])


TARGET = signed_target(
    seeds=lambda: {"report": evidence_maker().genuine("snp").raw[:_SIGNED]},
    sign=_sign,
    genuine=lambda: evidence_maker().genuine("snp"),
)
