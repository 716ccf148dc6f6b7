"""TPM quotes in sealmesh's envelope, with and without an event log."""

from functools import cache
from typing import Any

from fuzz.evidence import take_evidence
from fuzz.makers import evidence_maker
from fuzz.target import Target


@cache
def genuine() -> Any:
    """Return a quote that verifies."""
    return evidence_maker().genuine("tpm")


TARGET = Target(
    run=lambda data: take_evidence(genuine(), data),
    seeds=lambda: {"quote": genuine().raw},
    words=(b"sealmesh/tpm-quote/v1", b"attest", b"signature", b"pcrs", b"log", b"\xffTCG\x80\x18"),
)
