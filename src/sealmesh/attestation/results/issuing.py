"""From what was judged to an EAR: when it begins and, above all, when it ends."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from sealmesh import __version__
from sealmesh.attestation.results.ear import MAX_NONCE, MIN_NONCE, Ear, Submodule, VerifierId
from sealmesh.errors.results import ResultFormatError, ResultUnknown

RESULT_LIFETIME = timedelta(hours=1)
"""How long a result is good where nothing else is said and nothing it rests on ends before."""
VERIFIER = VerifierId(developer="sealmesh", build=f"sealmesh {__version__}")


def issue_ear(
    submodules: Mapping[str, Submodule],
    *,
    now: datetime,
    ends: Iterable[datetime] = (),
    lifetime: timedelta = RESULT_LIFETIME,
    nonce: bytes | None = None,
) -> Ear:
    """Return the EAR of today about these Attesters.

    Args:
        submodules: At least one.
        now: Aware UTC.
        ends: When what the judgement rests on stops being valid: collateral, certificates.
        lifetime: The longest that a result is good.
        nonce: What was sent by whoever asks.

    Raises:
        ResultUnknown: `result-stale`: something that it rests on is not valid any more.
        ResultFormatError: `result-nonce-length`.
    """
    if nonce is not None and not MIN_NONCE <= len(nonce) <= MAX_NONCE:
        raise ResultFormatError(
            "the nonce for the result has the wrong length",
            code="result-nonce-length",
            found=f"{len(nonce)} bytes",
            wanted=f"{MIN_NONCE} to {MAX_NONCE}",
            remedy="Send random bytes of that length, or none.",
        )
    issued = now.astimezone(UTC).replace(microsecond=0)
    expires = min((issued + lifetime, *ends)).astimezone(UTC).replace(microsecond=0)
    if expires <= issued:
        raise ResultUnknown(
            "what the result would rest on is not valid any more",
            code="result-stale",
            found=f"ended {expires:%Y-%m-%dT%H:%M:%SZ}",
            wanted=f"valid at {issued:%Y-%m-%dT%H:%M:%SZ}",
        )
    return Ear(issued=issued, expires=expires, verifier=VERIFIER, submodules=submodules, nonce=nonce)
