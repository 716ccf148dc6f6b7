"""Evidence of several families from one machine, bound together.

    type    "sealmesh/composite/v1"
    parts   2 to 4 pieces of Evidence; the first is of the TEE whose software collected the others

Side by side they would prove nothing: an attacker could put the quote of his own TPM beside the report of
somebody's VM. So, for the 64 bytes of report data D that the whole is for:

 1. Shared nonce: each part but the first is over N = SHA-256("sealmesh composite nonce v1" || D). They answer
    the same challenge as the whole; 32 bytes, so that a GPU and a TPM can take it.
 2. Chained report data: the first part is over
    SHA-256("sealmesh composite v1" || D || SHA-256(part 2) || SHA-256(part 3) || ...). The measured
    software that asked for it vouches that these parts are of its own machine.

What this does not show is that the software asked honestly; it is the measured software of the first part.
"""

from collections.abc import Sequence

from cryptography.hazmat.primitives.hashes import SHA256, Hash

from sealmesh.attestation.envelope import encode_envelope, open_envelope, opens_envelope

COMPOSITE = "sealmesh/composite/v1"
MAX_PARTS = 4
MAX_PART_BYTES = 64 * 1024
_NONCE_LABEL = b"sealmesh composite nonce v1"
_CHAIN_LABEL = b"sealmesh composite v1"
_SUBJECT = "composite evidence"


def shared_nonce(report_data: bytes) -> bytes:
    """Return the 32 bytes that each part but the first is over, for the 64 bytes of the whole."""
    return _sha256(_NONCE_LABEL, report_data)


def chained_report_data(report_data: bytes, others: Sequence[bytes]) -> bytes:
    """Return the 64 bytes that the first part is over: 32 of digest, then zeros.

    Args:
        report_data: The 64 bytes of the whole.
        others: The parts after the first, as they stand in the composite.
    """
    return _sha256(_CHAIN_LABEL, report_data, *map(_sha256, others)).ljust(64, b"\0")


def encode_composite(parts: Sequence[bytes]) -> bytes:
    """Return the composite of these pieces of Evidence."""
    if not 2 <= len(parts) <= MAX_PARTS:
        raise ValueError(f"a composite has 2 to {MAX_PARTS} parts")
    return encode_envelope(COMPOSITE, {"parts": tuple(parts)})


def is_composite(raw: bytes) -> bool:
    """Return whether the evidence could be a composite."""
    return opens_envelope(raw, COMPOSITE)


def split_composite(raw: bytes) -> tuple[bytes, ...]:
    """Return the parts of a composite, none of which is one itself.

    Raises:
        EvidenceFormatError: `format:composite evidence`.
    """
    claims = open_envelope(raw, COMPOSITE, subject=_SUBJECT, members=frozenset({"parts"}))
    items = claims.items("parts", most=MAX_PARTS)
    parts: list[bytes] = []
    for item in items:
        if not isinstance(item, bytes) or not 0 < len(item) <= MAX_PART_BYTES or is_composite(item):
            claims.refuse("parts", "pieces of Evidence that are no composites")
        parts.append(item)
    if len(parts) < 2:
        claims.refuse("parts", "at least two")
    return tuple(parts)


def _sha256(*parts: bytes) -> bytes:
    digest = Hash(SHA256())
    for part in parts:
        digest.update(part)
    return digest.finalize()
