"""NVIDIA's reference integrity manifests: Reference Values for drivers and VBIOSes, signed."""

from sealmesh.attestation.gpu.rim.manifest import (
    NVIDIA_RIM,
    Component,
    VerifiedRim,
    accepting_rims,
    verify_rim,
)

__all__ = ["NVIDIA_RIM", "Component", "VerifiedRim", "accepting_rims", "verify_rim"]
