"""Reading the report that Azure's paravisor (HCL) leaves in the vTPM's NV index 0x01400001.

    header        32 bytes: "HCLA", version, size of the report, request type 2, status, 12 reserved
    hardware      1184 bytes: an SNP report, or a TDREPORT (1024 bytes) and zeros
    runtime data  size, version 1, hardware (2 SNP, 4 TDX), hash (1 SHA-256, 2 SHA-384, 3 SHA-512),
                  length of the claims, the claims (JSON)
    padding       zeros

All numbers are little-endian and of four bytes. Source: Microsoft, "Guest attestation for confidential VMs
in Azure: vTPM", section "Attestation report"; openvmm, `openhcl_attestation_protocol`.
"""

from dataclasses import dataclass
from enum import IntEnum

from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, Hash, HashAlgorithm

from sealmesh.attestation.azure.runtime_claims import RuntimeClaims, parse_runtime_claims
from sealmesh.attestation.reader import Reader

_MAGIC = b"HCLA"
_VERSIONS = (1, 2)
_ATTESTATION_REPORT = 2
_HARDWARE_BYTES = 1184
_HEADER_BYTES, _DATA_HEADER_BYTES = 32, 20
_HASHES: dict[int, HashAlgorithm] = {1: SHA256(), 2: SHA384(), 3: SHA512()}
_REPORT_DATA_BYTES = 64
_SUBJECT = "hcl report"


class Hardware(IntEnum):
    """What is underneath; the numbers are the report's."""

    SNP = 2
    TDX = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class HclReport:
    """A report taken apart; nothing is verified.

    Attributes:
        hardware: What is underneath.
        hardware_report: 1184 bytes.
        report_data: The 64 bytes that the hardware must vouch for: the digest of the claims, then zeros.
        claims: What the paravisor says.
    """

    hardware: Hardware
    hardware_report: bytes
    report_data: bytes
    claims: RuntimeClaims


def parse_hcl_report(raw: bytes) -> HclReport:
    """Parse a report.

    Raises:
        EvidenceFormatError: `format:hcl report` or `format:hcl claims`.
    """
    reader = Reader(raw, _SUBJECT)
    if reader.take(4, "signature") != _MAGIC or reader.uint(4, "version") not in _VERSIONS:
        reader.refuse("it does not begin as it must", wanted="HCLA, version 1 or 2")
    size, request, status = (reader.uint(4, name) for name in ("size", "request type", "status"))
    if request != _ATTESTATION_REPORT or status != 0 or any(reader.take(12, "reserved bytes")):
        reader.refuse("another kind of answer", found=f"request type {request}, status {status}")
    hardware_report = reader.take(_HARDWARE_BYTES, "hardware report")
    data_size, version = reader.uint(4, "data size"), reader.uint(4, "data version")
    hardware, hash_type = reader.uint(4, "hardware"), reader.uint(4, "hash type")
    length = reader.uint(4, "length of the claims")
    lengths = (_HEADER_BYTES + _HARDWARE_BYTES + data_size, _DATA_HEADER_BYTES + length)
    if version != 1 or (size, data_size) != lengths:
        reader.refuse("its lengths do not add up", found=f"{size} and {data_size}", wanted=f"{lengths}")
    if hardware not in tuple(Hardware) or hash_type not in _HASHES:
        reader.refuse("unknown hardware or hash", found=f"{hardware}, {hash_type}")
    claims = reader.take(length, "claims")
    if not reader.is_zero_to_the_end():
        reader.refuse("something stands after the claims", wanted="zeros")
    digest = Hash(_HASHES[hash_type])
    digest.update(claims)
    return HclReport(
        hardware=Hardware(hardware),
        hardware_report=hardware_report,
        report_data=digest.finalize().ljust(_REPORT_DATA_BYTES, b"\0"),
        claims=parse_runtime_claims(claims),
    )
