"""NVIDIA GPUs and switches: signed SPDM measurements, certified device by device."""

from sealmesh.attestation.gpu.claims import GpuClaims
from sealmesh.attestation.gpu.evidence import (
    GpuEvidence,
    encode_gpu_evidence,
    is_gpu_evidence,
    parse_gpu_evidence,
)
from sealmesh.attestation.gpu.verify import GpuCollateral, verify_gpu

__all__ = [
    "GpuClaims",
    "GpuCollateral",
    "GpuEvidence",
    "encode_gpu_evidence",
    "is_gpu_evidence",
    "parse_gpu_evidence",
    "verify_gpu",
]
