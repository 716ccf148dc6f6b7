"""The challenge that a piece of Evidence answers, where the challenger knows it beforehand."""

from sealmesh.attestation.unchecked import Unchecked
from sealmesh.errors.attestation import VerificationError


def verify_nonce(found: bytes, wanted: bytes | Unchecked) -> None:
    """Accept a nonce only if it is the one that was sent.

    Raises:
        VerificationError: `nonce`.
    """
    if not isinstance(wanted, Unchecked) and found != wanted:
        raise VerificationError(
            "the Evidence answers another challenge", code="nonce", found=found.hex(), wanted=wanted.hex()
        )
