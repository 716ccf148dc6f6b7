"""Which machine made some Evidence: what the families say about it, in one shape.

Only genuine Evidence is asked; whether such a machine is wanted is for the Manifest's `Infrastructures`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import assert_never

from sealmesh.attestation.azure import AzureClaims
from sealmesh.attestation.cca import CcaClaims
from sealmesh.attestation.evidence import CompositeClaims, SingleClaims, VerifiedEvidence
from sealmesh.attestation.gpu import GpuClaims
from sealmesh.attestation.nitro import NitroClaims
from sealmesh.attestation.sgx import EnclaveClaims
from sealmesh.attestation.snp import SnpClaims
from sealmesh.attestation.tdx import TdClaims
from sealmesh.attestation.tpm import TpmClaims


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine, as its Evidence has it. None: the family does not say, so nothing wanted can be met.

    Attributes:
        root: SHA-256 of the root it was verified under: of a certificate's DER, or of a given key.
        cpu_svn: 16 bytes, raw (SGX; of TDX the quoting enclave's, which runs on the same processor).
        pce_svn: Version of the provisioning certification enclave (SGX, TDX).
        qe_svn: Version of the quoting enclave (SGX, TDX).
        fmspc: 6 bytes, the kind of platform (SGX, TDX).
        identity: This one machine: PPID (SGX, TDX), chip ID (SNP, if the host shows it), instance ID (CCA).
        region: The cloud's name of the region (Nitro).
    """

    root: bytes
    cpu_svn: bytes | None = None
    pce_svn: int | None = None
    qe_svn: int | None = None
    fmspc: bytes | None = None
    identity: bytes | None = None
    region: str | None = None


def machines_of(verified: VerifiedEvidence) -> Iterator[Machine]:
    """Yield the machine of each part of some Evidence; of Azure's, the one under the paravisor."""
    if isinstance(verified.claims, CompositeClaims):
        for part in verified.claims.parts:
            yield from machines_of(part)
    else:
        yield _machine(verified.claims, Machine(root=verified.root.sha256))


def _machine(claims: SingleClaims, machine: Machine) -> Machine:
    match claims:
        case EnclaveClaims() | TdClaims():
            return _dcap(claims, machine)
        case SnpClaims():
            return replace(machine, identity=claims.chip_id if any(claims.chip_id) else None)
        case AzureClaims():
            return _machine(claims.guest, machine)
        case CcaClaims():
            return replace(machine, identity=claims.instance_id)
        case NitroClaims():
            return replace(machine, region=claims.region)
        case TpmClaims() | GpuClaims():
            return machine
    assert_never(claims)


def _dcap(claims: EnclaveClaims | TdClaims, machine: Machine) -> Machine:
    return replace(
        machine,
        cpu_svn=claims.cpu_svn,
        pce_svn=claims.pce_svn,
        qe_svn=claims.qe_svn,
        fmspc=claims.fmspc,
        identity=claims.ppid,
    )
