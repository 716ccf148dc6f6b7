"""Evidence to verified Claims to appraisal; one subpackage per TEE family (RFC 9334, Verifier).

Three steps, in three places, and types that carry their order:

    unverified = parse_evidence(raw)                            structure only
    verified = verify(unverified, collateral, roots=..., now=...)   genuine, at this time
    appraise(verified, reference, report_data=...)              what we want

Invariants: no I/O, no clock, no entropy; what is not verified is called unverified; a verifier
returns facts and the Manifest decides; no branch knows whether a root is simulated; every refusal is
an `AttestationError` with a stable code.
"""

from sealmesh.attestation.appraisal import REPORT_DATA_LENGTH, appraise, appraise_any
from sealmesh.attestation.azure import AzureClaims, AzureCollateral
from sealmesh.attestation.cache import VerificationCache
from sealmesh.attestation.cca import CcaClaims, CcaCollateral, PlatformKey, parse_platform_keys
from sealmesh.attestation.composite import chained_report_data, encode_composite, shared_nonce
from sealmesh.attestation.dcap.collateral import UnverifiedCollateral, parse_collateral
from sealmesh.attestation.endorsement_documents import needs_endorsements, parse_endorsements
from sealmesh.attestation.evidence import (
    Claims,
    CompositeClaims,
    CompositeEvidence,
    SingleClaims,
    UnverifiedEvidence,
    VerifiedEvidence,
    parse_evidence,
)
from sealmesh.attestation.family import Family
from sealmesh.attestation.gpu import GpuClaims, GpuCollateral, encode_gpu_evidence
from sealmesh.attestation.machine import Machine, machines_of
from sealmesh.attestation.measurements import measurements_of, runs_in_debug
from sealmesh.attestation.nitro import NitroClaims
from sealmesh.attestation.reference import (
    DEFAULT_TCB_STATUSES,
    NEVER_ACCEPTED,
    AllOf,
    AzureReference,
    CcaReference,
    GpuReference,
    NitroReference,
    Reference,
    SgxReference,
    SingleReference,
    SnpReference,
    TdxReference,
    TpmReference,
)
from sealmesh.attestation.roots import (
    AMD_GENOA,
    AMD_MILAN,
    AMD_TURIN,
    AWS_NITRO,
    INTEL,
    INTEL_TDX,
    NVIDIA,
    VENDOR_ROOTS,
    TrustRoot,
)
from sealmesh.attestation.self_contained import NoCollateral
from sealmesh.attestation.sgx import EnclaveClaims
from sealmesh.attestation.snp import SnpClaims, SnpCollateral, SnpTcb
from sealmesh.attestation.tcb import TcbAppraisal, TcbStatus
from sealmesh.attestation.tdx import TdClaims
from sealmesh.attestation.tpm import (
    ActivatedKey,
    GivenKeys,
    TpmClaims,
    TpmCollateral,
    encode_tpm_evidence,
    make_credential,
)
from sealmesh.attestation.unchecked import Unchecked
from sealmesh.attestation.validity import Validity
from sealmesh.attestation.verification import Collateral, CompositeCollateral, SingleCollateral, verify

__all__ = [
    "AMD_GENOA",
    "AMD_MILAN",
    "AMD_TURIN",
    "AWS_NITRO",
    "DEFAULT_TCB_STATUSES",
    "INTEL",
    "INTEL_TDX",
    "NEVER_ACCEPTED",
    "NVIDIA",
    "REPORT_DATA_LENGTH",
    "VENDOR_ROOTS",
    "ActivatedKey",
    "AllOf",
    "AzureClaims",
    "AzureCollateral",
    "AzureReference",
    "CcaClaims",
    "CcaCollateral",
    "CcaReference",
    "Claims",
    "Collateral",
    "CompositeClaims",
    "CompositeCollateral",
    "CompositeEvidence",
    "EnclaveClaims",
    "Family",
    "GivenKeys",
    "GpuClaims",
    "GpuCollateral",
    "GpuReference",
    "Machine",
    "NitroClaims",
    "NitroReference",
    "NoCollateral",
    "PlatformKey",
    "Reference",
    "SgxReference",
    "SingleClaims",
    "SingleCollateral",
    "SingleReference",
    "SnpClaims",
    "SnpCollateral",
    "SnpReference",
    "SnpTcb",
    "TcbAppraisal",
    "TcbStatus",
    "TdClaims",
    "TdxReference",
    "TpmClaims",
    "TpmCollateral",
    "TpmReference",
    "TrustRoot",
    "Unchecked",
    "UnverifiedCollateral",
    "UnverifiedEvidence",
    "Validity",
    "VerificationCache",
    "VerifiedEvidence",
    "appraise",
    "appraise_any",
    "chained_report_data",
    "encode_composite",
    "encode_gpu_evidence",
    "encode_tpm_evidence",
    "machines_of",
    "make_credential",
    "measurements_of",
    "needs_endorsements",
    "parse_collateral",
    "parse_endorsements",
    "parse_evidence",
    "parse_platform_keys",
    "runs_in_debug",
    "shared_nonce",
    "verify",
]
