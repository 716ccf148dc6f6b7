"""Run the attestation vectors of a directory and print one JSON line per case.

    python tests/conformance/run_vectors.py DIR [--tee sgx] [--json]

DIR holds `cases.json` and the files it names. Cases of families that have no verifier yet are not
printed; they are named on standard error. Exit code 0 when every case ran, whatever its verdict.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from sealmesh.attestation import (
    EnclaveClaims,
    Family,
    TdClaims,
    TrustRoot,
    VerifiedEvidence,
    parse_collateral,
    parse_evidence,
    verify,
)
from sealmesh.errors.attestation import AttestationError

SUPPORTED = ("sgx", "tdx")


def load_cases(directory: Path) -> list[dict[str, Any]]:
    return json.loads((directory / "cases.json").read_text())


def run_case(directory: Path, case: dict[str, Any]) -> dict[str, Any]:
    """Return what we say about one case, in the shape of the expectations."""
    result: dict[str, Any] = {
        "id": case["id"],
        "verdict": "invalid",
        "error": None,
        "tcb_status": None,
        "advisories": [],
        "claims": {},
    }
    try:
        verified = _verify(directory, case)
    except AttestationError as error:
        return {**result, "error": error.code, "message": str(error)}
    return {
        **result,
        "verdict": "valid",
        "tcb_status": str(verified.tcb.status),
        "qe_status": str(verified.tcb.qe_status),
        "platform_status": str(verified.tcb.platform_status),
        "advisories": sorted(verified.tcb.advisories),
        "claims": _claims(verified),
    }


def _verify(directory: Path, case: dict[str, Any]) -> VerifiedEvidence:
    root = sha256((directory / case["root"]).read_bytes()).digest()
    return verify(
        parse_evidence((directory / case["evidence"]).read_bytes()),
        parse_collateral((directory / case["collateral"]).read_bytes()),
        roots=[TrustRoot(name="vector", family=Family(case["tee"]), sha256=root)],
        now=datetime.fromisoformat(case["now"]),
    )


def _claims(verified: VerifiedEvidence) -> dict[str, Any]:
    match verified.claims:
        case EnclaveClaims() as claims:
            return {
                "fmspc": claims.fmspc.hex().upper(),
                "mrenclave": claims.mr_enclave.hex(),
                "mrsigner": claims.mr_signer.hex(),
                "isvprodid": claims.isv_prod_id,
                "isvsvn": claims.isv_svn,
                "debug": claims.debug,
                "attributes": claims.attributes.hex(),
                "report_data": claims.report_data.hex(),
            }
        case TdClaims() as claims:
            service_td = claims.mr_service_td
            return {
                "fmspc": claims.fmspc.hex().upper(),
                "mrtd": claims.mr_td.hex(),
                "rtmr": [register.hex() for register in claims.rtmrs],
                "report_data": claims.report_data.hex(),
                "debug": claims.debug,
                "td_attributes": claims.td_attributes.hex(),
                "tee_tcb_svn": claims.tee_tcb_svn.hex(),
                "mrseam": claims.mr_seam.hex(),
                "mrconfigid": claims.mr_config_id.hex(),
                **({} if service_td is None else {"mr_service_td": service_td.hex()}),
            }


def run(directory: Path, tees: frozenset[str]) -> Iterator[dict[str, Any]]:
    """Yield the result of each case of these families."""
    for case in load_cases(directory):
        if case["tee"] in tees:
            yield run_case(directory, case)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("directory", type=Path, help="where cases.json and its files are")
    parser.add_argument("--tee", action="append", help="only this family; may be given several times")
    parser.add_argument("--json", action="store_true", help="one JSON object per line instead of text")
    options = parser.parse_args(arguments)
    wanted = frozenset(options.tee or [case["tee"] for case in load_cases(options.directory)])
    for result in run(options.directory, wanted & frozenset(SUPPORTED)):
        if options.json:
            print(json.dumps(result, sort_keys=True), flush=True)
        else:
            print(f"{result['id']:<44} {result['verdict']:<8} {result['error'] or result['tcb_status']}")
    skipped = [c["id"] for c in load_cases(options.directory) if c["tee"] in wanted - set(SUPPORTED)]
    if skipped:
        print(f"skipped, no verifier yet ({len(skipped)}): {', '.join(skipped)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
