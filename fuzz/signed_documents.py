"""A document of Intel's collateral with any content, signed by the vendor's own key, in a verification."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from fuzz.makers import evidence_maker
from fuzz.target import Target
from sealmesh.attestation import Family, parse_collateral, parse_evidence, verify
from sealmesh.attestation.dcap.ecdsa import sign_raw
from sealmesh.attestation.simulated import (
    EndorsementPlan,
    SimulatedTd,
    issue_collateral,
    issue_td_collateral,
    td_quote,
)

_WORDS = (
    b'"tcbLevels"',
    b'"tcbStatus"',
    b'"advisoryIDs"',
    b'"UpToDate"',
    b'"svn"',
    b"1e400",
    b"-1",
    b"NaN",
)


def signed_document(name: str, parse: Callable[[bytes], object], *, tdx: bool = False) -> Target:
    """Return the target for one member of the collateral.

    Args:
        name: The member; its signature is in `NAME_signature`.
        parse: Reads the document alone.
        tdx: Verify a TD's quote with it instead of an enclave's.
    """

    @cache
    def collateral() -> dict[str, Any]:
        maker = evidence_maker()
        issue = issue_td_collateral if tdx else issue_collateral
        found: dict[str, Any] = json.loads(issue(maker.machines().vendor, EndorsementPlan(issued=maker.NOW)))
        return found

    @cache
    def quote() -> bytes:
        maker = evidence_maker()
        platform = maker.machines().platform
        if tdx:
            return td_quote(platform, SimulatedTd.of(maker.PROGRAM), maker.DATA)
        made: bytes = platform.quote(maker.PROGRAM, maker.DATA)
        return made

    def run(text: bytes) -> None:
        vendor = evidence_maker().machines().vendor
        document = text.decode(errors="replace")
        parse(document.encode())
        signature = sign_raw(vendor.tcb_signer.key, document.encode()).hex()
        changed = {**collateral(), name: document, f"{name}_signature": signature}
        found = parse_collateral(json.dumps(changed).encode())
        root = vendor.trust_root_for(Family.TDX) if tdx else vendor.trust_root
        verify(parse_evidence(quote()), found, roots=[root], now=evidence_maker().NOW)

    return Target(run=run, seeds=lambda: {"document": collateral()[name].encode()}, words=_WORDS)
