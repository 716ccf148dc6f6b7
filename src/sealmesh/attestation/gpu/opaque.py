"""NVIDIA's fields in the opaque data of a measurement response: type (2), length (2), value.

Source: NVIDIA, attestation SDK documentation, "SPDM measurement response, opaque data field IDs".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from sealmesh.attestation.reader import Reader

_SUBJECT = "gpu opaque data"
_PACKED_VERSION = 8


class Field(IntEnum):
    """The fields that are read here; the others are kept as bytes."""

    DRIVER_VERSION = 3
    VBIOS_VERSION = 6
    NVDEC0_STATUS = 11
    BOARD_ID = 14
    CHIP_SKU = 15
    PROJECT = 17
    PROJECT_SKU = 18
    FIRMWARE_ID = 20
    PROTECTED_PCIE_STATUS = 21
    FEATURE_FLAG = 36


@dataclass(frozen=True, slots=True)
class OpaqueFields:
    """The fields by their number."""

    values: Mapping[int, bytes]

    def text(self, field: Field) -> str:
        """Return a text without the zeros that fill it up; empty where there is none."""
        return self.values.get(field, b"").rstrip(b"\0").decode("ascii", "replace")

    @property
    def vbios(self) -> str:
        """The VBIOS version as NVIDIA writes it, e.g. `96.00.5E.00.01`."""
        raw = self.values.get(Field.VBIOS_VERSION, b"")
        if len(raw) != _PACKED_VERSION or any(raw[5:]):
            return self.text(Field.VBIOS_VERSION)
        return ".".join(f"{part:02X}" for part in (raw[3], raw[2], raw[1], raw[0], raw[4]))


def parse_opaque_fields(raw: bytes) -> OpaqueFields:
    """Parse the fields.

    Raises:
        EvidenceFormatError: `format:gpu opaque data`: lengths that do not add up, a field twice.
    """
    reader = Reader(raw, _SUBJECT)
    values: dict[int, bytes] = {}
    while reader.remaining:
        kind = reader.uint(2, "type")
        if kind in values:
            reader.refuse("a field stands twice", found=kind)
        values[kind] = reader.take(reader.uint(2, "length"), "value")
    return OpaqueFields(values)
