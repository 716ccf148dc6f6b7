"""Evidence of one family as a target: read, described, verified; what verifies says what the genuine says."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from fuzz.makers import evidence_maker
from fuzz.target import Target
from sealmesh.attestation import VerificationCache, VerifiedEvidence, parse_evidence
from sealmesh.attestation.description import describe
from sealmesh.attestation.explanation import accepting_form

_memory = VerificationCache()
"""Certificates that are not changed need not be verified with every input."""


def evidence_target(family: str, *, words: tuple[bytes, ...] = ()) -> Target:
    """Return the target for Evidence whose bytes are changed anywhere."""
    make = cache(lambda: evidence_maker().genuine(family))
    return Target(
        run=lambda data: take_evidence(make(), data),
        seeds=lambda: {"genuine": make().raw},
        words=words,
        longest=32 * 1024,
    )


def signed_target(
    seeds: Callable[[], Mapping[str, bytes]],
    sign: Callable[[bytes], bytes],
    genuine: Callable[[], Any],
    *,
    words: tuple[bytes, ...] = (),
) -> Target:
    """Return the target for what stands below a signature: `sign` puts a good one on any bytes.

    An attacker can do that who has a genuine TEE, or its software's part in what it signs.
    """
    return Target(
        run=lambda data: read_verified(genuine().verify(sign(data), _memory)), seeds=seeds, words=words
    )


def take_evidence(genuine: Any, data: bytes) -> None:
    """Read any bytes as Evidence and do with it whatever is done with Evidence."""
    unverified = parse_evidence(data)
    list(describe(unverified.quote))
    accepting_form(unverified)
    verified = genuine.verify(data, _memory)
    read_verified(verified)
    said = evidence_maker().said
    assert said(verified) == said(genuine.verify(cache=_memory)), "forged Evidence verifies"


def read_verified(verified: VerifiedEvidence) -> None:
    """Print claims as a person reads them."""
    list(describe(verified.claims))
