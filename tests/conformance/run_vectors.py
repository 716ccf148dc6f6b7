"""Run the attestation vectors of a directory and print one JSON line per case.

    python tests/conformance/run_vectors.py DIR [--tee sgx] [--json]

DIR holds `cases.json` and the files it names. Cases of families that have no verifier are not
printed; they are named on standard error. Exit code 0 when every case ran, whatever its verdict.
"""

import argparse
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from sealmesh.attestation import TcbStatus
from sealmesh.errors.attestation import AttestationError


def _load_sibling(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).resolve().parent / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


inputs = _load_sibling("vector_inputs")
spellings = _load_sibling("vector_claims")
SUPPORTED = tuple(inputs.READERS)


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
        verified = inputs.READERS[case["tee"]](directory, case)
    except AttestationError as error:
        return {**result, "error": error.code, "message": str(error)}
    except (KeyError, OSError, ValueError) as error:  # the case, not its evidence: nothing is accepted
        return {**result, "error": "case", "message": repr(error)}
    if isinstance(verified, dict):  # an event log: claims without a verifier's statement around them
        return {**result, "verdict": "valid", "claims": verified}
    judged = verified.tcb.status is not TcbStatus.NOT_JUDGED
    return {
        **result,
        "verdict": "valid",
        "tcb_status": str(verified.tcb.status) if judged else None,
        "qe_status": str(verified.tcb.qe_status) if judged else None,
        "platform_status": str(verified.tcb.platform_status) if judged else None,
        "advisories": sorted(verified.tcb.advisories),
        "evaluation_numbers": [verified.tcb.tcb_evaluation, verified.tcb.qe_evaluation],
        "validity": [f"{time:%Y-%m-%dT%H:%M:%SZ}" for time in _span(verified)],
        "claims": spellings.spell(verified.claims),
    }


def _span(verified: Any) -> tuple[Any, Any]:
    return verified.validity.not_before, verified.validity.not_after


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
            print(
                f"{result['id']:<44} {result['verdict']:<8} {result['error'] or result['tcb_status'] or ''}"
            )
    skipped = [c["id"] for c in load_cases(options.directory) if c["tee"] in wanted - set(SUPPORTED)]
    if skipped:
        print(f"skipped, no verifier ({len(skipped)}): {', '.join(skipped)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
