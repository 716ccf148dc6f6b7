"""SGX quotes, version 3, also behind an Open Enclave header."""

from functools import cache
from typing import Any

from fuzz.evidence import take_evidence
from fuzz.makers import evidence_maker
from fuzz.target import Target
from sealmesh.attestation import parse_collateral
from sealmesh.attestation.simulated import EndorsementPlan, issue_collateral


@cache
def genuine() -> Any:
    """Return a quote that verifies."""
    maker = evidence_maker()
    here = maker.machines()
    collateral = parse_collateral(issue_collateral(here.vendor, EndorsementPlan(issued=maker.NOW)))
    raw = here.platform.quote(maker.PROGRAM, maker.DATA)
    return maker.Genuine(raw=raw, collateral=collateral, roots=(here.vendor.trust_root,))


def _seeds() -> dict[str, bytes]:
    raw = genuine().raw
    header = (1).to_bytes(4, "little") + (2).to_bytes(4, "little") + len(raw).to_bytes(8, "little")
    return {"quote": raw, "behind an Open Enclave header": header + raw}


TARGET = Target(
    run=lambda data: take_evidence(genuine(), data),
    seeds=_seeds,
    words=(b"-----BEGIN CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n", b"\x05\0"),
)
