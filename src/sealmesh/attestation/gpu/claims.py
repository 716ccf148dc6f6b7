"""What verified measurements of a GPU say."""

from collections.abc import Mapping
from dataclasses import dataclass

from sealmesh.attestation.gpu.measurements import Measurement
from sealmesh.attestation.gpu.opaque import OpaqueFields


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuClaims:
    """Facts about a GPU or a switch. Whether they are wanted is for `appraise`.

    Attributes:
        nonce: 32 bytes that the challenger sent; the report data of other families.
        device: The subject of the device's certificate.
        model: The kind of device, from its certificate chain, e.g. `NVIDIA GH100 Identity`.
        driver: The driver's version; empty for switches.
        vbios: The VBIOS version.
        mode: The feature flag's number (the confidential computing mode), or None where the firmware gives
            none.
        measurements: By index.
        fields: All of the device's own fields.
    """

    nonce: bytes
    device: str
    model: str
    driver: str
    vbios: str
    mode: int | None
    measurements: Mapping[int, Measurement]
    fields: OpaqueFields
