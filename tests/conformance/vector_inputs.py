"""From a case of cases.json to a verification: which file is what, per family."""

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from sealmesh.attestation import (
    AzureCollateral,
    CcaCollateral,
    Collateral,
    Family,
    GivenKeys,
    GpuCollateral,
    NoCollateral,
    SnpCollateral,
    TpmCollateral,
    TrustRoot,
    Unchecked,
    UnverifiedCollateral,
    VerifiedEvidence,
    encode_tpm_evidence,
    parse_collateral,
    parse_evidence,
    parse_platform_keys,
    verify,
)
from sealmesh.attestation.certification import key_fingerprint, parse_public_key
from sealmesh.attestation.tpm import Bank, parse_event_log

Case = dict[str, Any]
ANY_TIME = datetime(2030, 1, 1, tzinfo=UTC)
"""For cases without dates: nothing in them expires."""


def verify_case(
    directory: Path, case: Case, family: Family, collateral: Collateral, root: bytes
) -> VerifiedEvidence:
    return verify_evidence((directory / case["evidence"]).read_bytes(), case, family, collateral, root)


def verify_evidence(
    raw: bytes, case: Case, family: Family, collateral: Collateral, root: bytes
) -> VerifiedEvidence:
    """Verify evidence of a case under the one root with this fingerprint."""
    return verify(
        parse_evidence(raw),
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


def read_tpm(directory: Path, case: Case) -> VerifiedEvidence:
    key = parse_public_key(read(directory, case, "ak"), subject="attestation key")
    values = {int(index): bytes.fromhex(value) for index, value in case["pcrs"].items()}
    banks = {len(value): Bank(bank) for bank, value in ((0x4, bytes(20)), (0xB, bytes(32)), (0xC, bytes(48)))}
    bank = banks[len(next(iter(values.values())))]
    raw = encode_tpm_evidence(
        attest=read(directory, case, "evidence"),
        signature=read(directory, case, "signature"),
        pcrs={bank: values},
        log=read(directory, case, "eventlog") if "eventlog" in case else None,
    )
    collateral = TpmCollateral(key=GivenKeys(keys=(key,)), nonce=bytes.fromhex(case["nonce"]))
    return verify_evidence(raw, case, Family.TPM, collateral, key_fingerprint(key))


def read_azure(directory: Path, case: Case) -> VerifiedEvidence:
    """SNP's CA stands beside its root; a TD's collateral is often left out (the case has none then)."""
    hardware: SnpCollateral | UnverifiedCollateral | Unchecked = Unchecked()
    if "collateral" in case:
        hardware = parse_collateral(read(directory, case, "collateral"))
    elif "ark" in case["root"]:
        names = [case.get("intermediate", case["root"].replace("-ark", "-ask")), case["root"]]
        candidates = tuple((directory / name).read_bytes() for name in names)
        crl = read(directory, case, "crl") if "crl" in case else Unchecked()
        hardware = SnpCollateral(leaf=None, candidates=candidates, crl=crl)
    nonce = bytes.fromhex(case["nonce"]) if "nonce" in case else Unchecked()
    collateral = AzureCollateral(hardware=hardware, nonce=nonce)
    return verify_case(directory, case, Family.AZURE, collateral, root_of(directory, case))


def read_gpu(directory: Path, case: Case) -> VerifiedEvidence:
    names = case.get("crls") or ([case["crl"]] if "crl" in case else None)
    collateral = GpuCollateral(
        chain=read(directory, case, "chain"),
        crls=Unchecked() if names is None else tuple((directory / name).read_bytes() for name in names),
        nonce=bytes.fromhex(case["nonce"]) if "nonce" in case else Unchecked(),
    )
    return verify_case(directory, case, Family.GPU, collateral, root_of(directory, case))


def read_event_log(directory: Path, case: Case) -> dict[str, Any]:
    log = parse_event_log(read(directory, case, "evidence"))
    return {
        bank.name.lower(): {str(index): value.hex() for index, value in sorted(log.replay(bank).items())}
        for bank in log.banks
    }


READERS: dict[str, Callable[[Path, Case], VerifiedEvidence | dict[str, Any]]] = {
    "sgx": read_dcap,
    "tdx": read_dcap,
    "snp": read_snp,
    "nitro": read_nitro,
    "cca": read_cca,
    "tpm": read_tpm,
    "azure": read_azure,
    "nvidia": read_gpu,
    "tpm-eventlog": read_event_log,
}
