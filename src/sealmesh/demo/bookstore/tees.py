"""Which simulated TEE each service runs in, and how its package looks there.

What stands where in each TEE: docs/attestation/simulated.md.
"""

from collections.abc import Mapping
from hashlib import sha384
from typing import Any

#: Marble type to TEE when the services run in different ones.
MIXED: Mapping[str, str] = {
    "bookwarehouse": "nitro",
    "bookstore": "snp",
    "bookbuyer": "tdx",
    "bookthief": "sgx",
}
_FIRMWARE = sha384(b"sealmesh simulated TD firmware").hexdigest()


def attester_of(marble_type: str, *, mixed: bool) -> str:
    """Return how this service makes Evidence."""
    tee = MIXED[marble_type] if mixed else "sgx"
    return "simulated" if tee == "sgx" else f"simulated-{tee}"


def package_of(marble_type: str, unique_id: str, *, mixed: bool) -> dict[str, Any]:
    """Return a package of the manifest: the one form of Evidence that this service has."""
    program = measured(unique_id)
    match MIXED[marble_type] if mixed else "sgx":
        case "tdx":
            form: dict[str, Any] = {"TDX": {"MRTD": _FIRMWARE, "RTMR2": program}}
        case "snp":
            form = {"SNP": {"Measurement": program, "MinimumTCB": {"snp": 1}}}
        case "nitro":
            form = {"Nitro": {"PCRs": {"0": program}}}
        case _ if mixed:
            form = {"SGX": {"UniqueID": unique_id}}
        case _:
            return {"UniqueID": unique_id}
    return {"Evidence": [form]}


def measured(unique_id: str) -> str:
    """Return a program's measurement in TEEs other than SGX."""
    return sha384(bytes.fromhex(unique_id)).hexdigest()
