"""The quoting enclave's signed identity with any content."""

import json
from functools import cache
from typing import Any

from fuzz.makers import evidence_maker
from fuzz.target import Target
from sealmesh.attestation import parse_collateral, parse_evidence, verify
from sealmesh.attestation.dcap.ecdsa import sign_raw
from sealmesh.attestation.dcap.qe_identity import parse_qe_identity
from sealmesh.attestation.simulated import EndorsementPlan, issue_collateral


@cache
def _collateral() -> dict[str, Any]:
    here, now = evidence_maker().machines(), evidence_maker().NOW
    found: dict[str, Any] = json.loads(issue_collateral(here.vendor, EndorsementPlan(issued=now)))
    return found


@cache
def _quote() -> bytes:
    maker = evidence_maker()
    here = maker.machines()
    quote: bytes = here.platform.quote(maker.PROGRAM, maker.DATA)
    return quote


def _verify(text: bytes) -> None:
    """Read this document, then verify the quote with it, signed by the vendor's own key."""
    here = evidence_maker().machines()
    document = text.decode(errors="replace")
    parse_qe_identity(document.encode())
    signature = sign_raw(here.vendor.tcb_signer.key, document.encode()).hex()
    changed = {**_collateral(), "qe_identity": document, "qe_identity_signature": signature}
    collateral = parse_collateral(json.dumps(changed).encode())
    root = here.vendor.trust_root
    verify(parse_evidence(_quote()), collateral, roots=[root], now=evidence_maker().NOW)


TARGET = Target(
    run=_verify,
    seeds=lambda: {"document": _collateral()["qe_identity"].encode()},
    words=(
        b'"tcbLevels"',
        b'"tcbStatus"',
        b'"advisoryIDs"',
        b'"UpToDate"',
        b'"svn"',
        b"1e400",
        b"-1",
        b"NaN",
    ),
)
