"""Which simulated TEE each service runs in, and how its package looks there.

What stands where in each TEE: docs/attestation/simulated.md.
"""

from collections.abc import Mapping
from hashlib import sha256, sha384
from typing import Any

#: Marble type to TEE when the services run in different ones.
MIXED: Mapping[str, str] = {
    "bookwarehouse": "nitro",
    "bookstore": "snp",
    "bookbuyer": "tdx",
    "bookthief": "sgx",
}
#: And where a service may move to, which the manifest says beforehand.
ELSEWHERE: Mapping[str, str] = {"bookwarehouse": "tpm"}
COORDINATOR = "snp"
"""Where the Coordinator runs then."""
_FIRMWARE = sha384(b"sealmesh simulated TD firmware").hexdigest()


def attester_of(marble_type: str, *, mixed: bool, elsewhere: bool = False) -> str:
    """Return how this service makes Evidence, at first or where it moved to."""
    return _word((ELSEWHERE if elsewhere else MIXED)[marble_type] if mixed else "sgx")


def coordinator_attester(*, mixed: bool) -> str:
    """Return how the Coordinator makes Evidence."""
    return _word(COORDINATOR if mixed else "sgx")


def _word(tee: str) -> str:
    return "simulated" if tee == "sgx" else f"simulated-{tee}"


def package_of(marble_type: str, unique_id: str, *, mixed: bool) -> dict[str, Any]:
    """Return a package of the manifest: a form of Evidence for each TEE that this service may run in."""
    if not mixed:
        return {"UniqueID": unique_id}
    tees = [where[marble_type] for where in (MIXED, ELSEWHERE) if marble_type in where]
    return {"Evidence": [_form(tee, unique_id) for tee in tees]}


def _form(tee: str, unique_id: str) -> dict[str, Any]:
    program = measured(unique_id)
    match tee:
        case "tdx":
            return {"TDX": {"MRTD": _FIRMWARE, "RTMR2": program}}
        case "snp":
            return {"SNP": {"Measurement": program, "MinimumTCB": {"snp": 1}}}
        case "nitro":
            return {"Nitro": {"PCRs": {"0": program}}}
        case "tpm":
            event = sha256(bytes.fromhex(unique_id)).digest()
            return {"TPM": {"PCRs": {"11": sha256(bytes(32) + event).hexdigest()}}}
        case _:
            return {"SGX": {"UniqueID": unique_id}}


def measured(unique_id: str) -> str:
    """Return a program's measurement in TDX, SNP and Nitro."""
    return sha384(bytes.fromhex(unique_id)).hexdigest()
