"""Reading a signed exchange of SPDM measurements.

    request    version 11h, code E0h, attributes, what is measured, nonce (32), slot
    response   version 11h, code 60h, reserved, slot, blocks, length of the record (3), record,
               nonce (32), length of opaque data (2), opaque data, signature (96)

A block is an index, a specification (1: DMTF), a size, and a DMTF value: type, size, value. All numbers are
little-endian. Source: DMTF DSP0274 version 1.1, sections "GET_MEASUREMENTS request", "Successful
MEASUREMENTS response" and "DMTF specification for the Measurement field".
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sealmesh.attestation.reader import Reader

VERSION = 0x11
GET_MEASUREMENTS, MEASUREMENTS = 0xE0, 0x60
REQUEST_BYTES = 37
SIGNATURE_BYTES = 96
_SIGNED, _ALL = 0x01, 0xFF
_DMTF = 0x01
_SLOT = 0x0F
_MAX_VALUE = 256
_SUBJECT = "spdm measurements"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One measurement.

    Attributes:
        type: What is measured (0 immutable code, 1 firmware, 2 hardware configuration, ...).
        raw: Whether the value is the thing itself instead of its digest.
        value: The value.
    """

    type: int
    raw: bool
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Request and response taken apart; nothing is verified.

    Attributes:
        nonce: The challenger's.
        slot: Of the certificate chain whose key signs.
        measurements: By index.
        opaque: The device's own fields.
        signed: What the signature covers: the request, and the response up to the signature.
        signature: r and s, 48 bytes each.
    """

    nonce: bytes
    slot: int
    measurements: Mapping[int, Measurement]
    opaque: bytes
    signed: bytes
    signature: bytes


def parse_exchange(raw: bytes) -> Exchange:
    """Parse a request for all measurements with the response to it.

    Raises:
        EvidenceFormatError: `format:spdm measurements`: another version or message, a request without
            signature or for a part of the measurements, lengths that do not add up.
    """
    reader = Reader(raw, _SUBJECT)
    head = reader.take(4, "request")
    if head != bytes((VERSION, GET_MEASUREMENTS, _SIGNED, _ALL)):
        reader.refuse(
            "not a request for all measurements with a signature", found=head.hex(), wanted="11e001ff"
        )
    nonce, slot = reader.take(32, "nonce"), reader.uint(1, "slot")
    version, code = reader.uint(1, "version"), reader.uint(1, "code")
    reader.take(1, "Param1")
    answered = reader.uint(1, "Param2") & _SLOT
    if (version, code) != (VERSION, MEASUREMENTS) or slot > _SLOT or answered != slot:
        reader.refuse("not the response to this request", found=f"{version:02x}{code:02x}, slot {answered}")
    blocks = reader.uint(1, "number of blocks")
    record = reader.take(reader.uint(3, "length of the record"), "record")
    reader.take(32, "the device's nonce")
    opaque = reader.take(reader.uint(2, "length of opaque data"), "opaque data")
    signed = raw[: len(raw) - reader.remaining]
    signature = reader.take(SIGNATURE_BYTES, "signature")
    reader.finish()
    return Exchange(
        nonce=nonce,
        slot=slot,
        measurements=_record(record, blocks),
        opaque=opaque,
        signed=signed,
        signature=signature,
    )


def _record(raw: bytes, blocks: int) -> dict[int, Measurement]:
    reader = Reader(raw, _SUBJECT)
    measurements: dict[int, Measurement] = {}
    for _ in range(blocks):
        index, specification = reader.uint(1, "index"), reader.uint(1, "specification")
        if specification != _DMTF or index in measurements:
            reader.refuse("a block of another form, or an index twice", found=f"index {index}")
        block = Reader(reader.take(reader.uint(2, "size"), "block"), _SUBJECT)
        kind, length = block.uint(1, "type"), block.uint(2, "value size")
        if length > _MAX_VALUE:
            block.refuse("a value that is too long", found=length, wanted=f"at most {_MAX_VALUE}")
        measurements[index] = Measurement(
            type=kind & 0x7F, raw=bool(kind & 0x80), value=block.take(length, "value")
        )
        block.finish()
    reader.finish()
    return measurements
