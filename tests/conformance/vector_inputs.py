"""From a case of cases.json to a verification: which file is what, per family."""

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from sealmesh.attestation import (
    CcaCollateral,
    Collateral,
    Family,
    NoCollateral,
    SnpCollateral,
    TrustRoot,
    Unchecked,
    VerifiedEvidence,
    parse_collateral,
    parse_evidence,
    parse_platform_keys,
    verify,
)

Case = dict[str, Any]
ANY_TIME = datetime(2030, 1, 1, tzinfo=UTC)
"""For cases without dates: nothing in them expires."""


def verify_case(
    directory: Path, case: Case, family: Family, collateral: Collateral, root: bytes
) -> VerifiedEvidence:
    """Verify the evidence of a case under the one root with this fingerprint."""
    return verify(
        parse_evidence((directory / case["evidence"]).read_bytes()),
        collateral,
        roots=[TrustRoot(name="vector", family=family, sha256=root)],
        now=datetime.fromisoformat(case["now"]) if case.get("now") else ANY_TIME,
    )


def read(directory: Path, case: Case, name: str) -> bytes:
    return (directory / case[name]).read_bytes()


def root_of(directory: Path, case: Case) -> bytes:
    return sha256(read(directory, case, "root")).digest()


def read_dcap(directory: Path, case: Case) -> VerifiedEvidence:
    collateral = parse_collateral(read(directory, case, "collateral"))
    return verify_case(directory, case, Family(case["tee"]), collateral, root_of(directory, case))


def read_snp(directory: Path, case: Case) -> VerifiedEvidence:
    collateral = SnpCollateral(
        leaf=read(directory, case, "leaf") if "leaf" in case else None,
        candidates=tuple(read(directory, case, name) for name in ("intermediate", "root") if name in case),
        crl=read(directory, case, "crl") if "crl" in case else Unchecked(),
    )
    return verify_case(directory, case, Family.SNP, collateral, root_of(directory, case))


def read_nitro(directory: Path, case: Case) -> VerifiedEvidence:
    return verify_case(directory, case, Family.NITRO, NoCollateral(), root_of(directory, case))


def read_cca(directory: Path, case: Case) -> VerifiedEvidence:
    keys = parse_platform_keys(read(directory, case, "platform_key"))
    return verify_case(directory, case, Family.CCA, CcaCollateral(platform_keys=keys), keys[0].sha256)


READERS: dict[str, Callable[[Path, Case], VerifiedEvidence | dict[str, Any]]] = {
    "sgx": read_dcap,
    "tdx": read_dcap,
    "snp": read_snp,
    "nitro": read_nitro,
    "cca": read_cca,
}
