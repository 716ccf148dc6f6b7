"""Intel's collateral, as files and Endorsers hand it over."""

from functools import cache
from typing import Any

from fuzz.makers import evidence_maker
from fuzz.target import Target
from sealmesh.attestation import parse_collateral, parse_evidence, verify
from sealmesh.attestation.simulated import EndorsementPlan, issue_collateral


@cache
def _genuine() -> tuple[Any, bytes, bytes]:
    """Return a vendor, a quote and the collateral for it."""
    maker = evidence_maker()
    here = maker.machines()
    collateral = issue_collateral(here.vendor, EndorsementPlan(issued=maker.NOW))
    return here.vendor, here.platform.quote(maker.PROGRAM, maker.DATA), collateral


def _verify(data: bytes) -> None:
    vendor, quote, _ = _genuine()
    verify(parse_evidence(quote), parse_collateral(data), roots=[vendor.trust_root], now=evidence_maker().NOW)


TARGET = Target(
    run=_verify,
    seeds=lambda: {"collateral": _genuine()[2]},
    words=(b'"tcb_info"', b'"root_ca_crl"', b"-----BEGIN CERTIFICATE-----\\n", b"\\u0000"),
    longest=32 * 1024,
)
