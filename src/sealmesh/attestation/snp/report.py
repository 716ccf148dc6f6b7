"""Reading an attestation report of SEV-SNP, and the certificate table that may stand behind it.

Source: AMD 56860, SEV Secure Nested Paging Firmware ABI, table "ATTESTATION_REPORT Structure" and section
"Signatures" (chapter 10, "Format of an ECDSA P-384 with SHA-384 signature").
"""

from dataclasses import dataclass

from sealmesh.attestation.reader import Reader
from sealmesh.attestation.snp.certificate_table import parse_certificate_table
from sealmesh.errors.attestation import EvidenceFormatError

REPORT_LENGTH = 1184
SIGNED_LENGTH = 0x2A0
VERSIONS = (2, 3, 4, 5)
MAX_EVIDENCE_BYTES = 32 * 1024
_ECDSA_P384_SHA384 = 1
_SCALAR = 48
_SUBJECT = "snp report"


@dataclass(frozen=True, slots=True, kw_only=True)
class SnpReport:
    """A report taken apart; nothing is verified.

    TCB versions stay bytes, because how to read them depends on the processor.

    Attributes:
        version: 2 to 5.
        guest_svn: Security version that the guest's owner gave in the ID block.
        policy: The guest policy's 64 bits.
        family_id: 16 bytes of the ID block.
        image_id: 16 bytes of the ID block.
        vmpl: The privilege level that asked for the report.
        current_tcb: What runs now.
        platform_info: 64 bits: bit 0 SMT, bit 1 TSME, ...
        author_key_en: Whether the ID key was signed by an author key.
        mask_chip_key: Whether the chip's key is not used.
        signing_key: 0 VCEK, 1 VLEK, 7 none.
        report_data: 64 bytes that the guest chose.
        measurement: 48 bytes, the launch digest.
        host_data: 32 bytes that the host chose at launch.
        id_key_digest: 48 bytes.
        author_key_digest: 48 bytes.
        report_id: 32 bytes, this guest.
        report_id_ma: 32 bytes, its migration agent.
        reported_tcb: What the signing key is derived from.
        cpuid: Family, model and stepping; from version 3 on.
        chip_id: 64 bytes; zero where the host masks it.
        committed_tcb: Below which the firmware cannot be rolled back.
        launch_tcb: What ran when the guest was started.
        launch_mitigations: Bits, from version 5 on, else 0.
        current_mitigations: Bits, from version 5 on, else 0.
        signed: The bytes that the signature covers.
        signature_r: 48 bytes, little-endian.
        signature_s: 48 bytes, little-endian.
        certificates: From the certificate table, DER by AMD's name (`VCEK`, `VLEK`, `ASK`, `ARK`).
    """

    version: int
    guest_svn: int
    policy: int
    family_id: bytes
    image_id: bytes
    vmpl: int
    current_tcb: bytes
    platform_info: int
    author_key_en: bool
    mask_chip_key: bool
    signing_key: int
    report_data: bytes
    measurement: bytes
    host_data: bytes
    id_key_digest: bytes
    author_key_digest: bytes
    report_id: bytes
    report_id_ma: bytes
    reported_tcb: bytes
    cpuid: tuple[int, int, int] | None
    chip_id: bytes
    committed_tcb: bytes
    launch_tcb: bytes
    launch_mitigations: int
    current_mitigations: int
    signed: bytes
    signature_r: bytes
    signature_s: bytes
    certificates: dict[str, bytes]


def is_snp_report(raw: bytes) -> bool:
    """Return whether the evidence could be a report: its version, as four bytes."""
    return len(raw) >= 4 and int.from_bytes(raw[:4], "little") in VERSIONS


def parse_snp_report(raw: bytes) -> SnpReport:
    """Parse a report, also with a certificate table behind it.

    Raises:
        EvidenceFormatError: Another length, an unknown version or signature algorithm, anything but
            zeros around the signature, or a certificate table that cannot be read.
    """
    if len(raw) > MAX_EVIDENCE_BYTES:
        raise EvidenceFormatError(
            "the SNP report is too long",
            code=f"limit:{_SUBJECT}",
            found=f"{len(raw)} bytes",
            wanted=MAX_EVIDENCE_BYTES,
        )
    reader = Reader(raw, _SUBJECT)
    signed = reader.take(SIGNED_LENGTH, "signed part")
    signature_r, signature_s = _scalar(reader, "R"), _scalar(reader, "S")
    _zeros(reader, REPORT_LENGTH - SIGNED_LENGTH - 144, "end")
    certificates = parse_certificate_table(raw[REPORT_LENGTH:]) if reader.remaining else {}
    return _parse_signed(signed, signature_r, signature_s, certificates)


def _parse_signed(
    signed: bytes, signature_r: bytes, signature_s: bytes, certificates: dict[str, bytes]
) -> SnpReport:
    """Read the fields; bytes that are reserved inside the signed part are the firmware's business."""
    reader = Reader(signed, _SUBJECT)
    version = _one_of(reader.uint(4, "version"), VERSIONS, "version")
    guest_svn, policy = reader.uint(4, "GUEST_SVN"), reader.uint(8, "POLICY")
    family_id, image_id = reader.take(16, "FAMILY_ID"), reader.take(16, "IMAGE_ID")
    vmpl = reader.uint(4, "VMPL")
    _one_of(reader.uint(4, "SIGNATURE_ALGO"), (_ECDSA_P384_SHA384,), "signature algorithm")
    current_tcb, platform_info = reader.take(8, "CURRENT_TCB"), reader.uint(8, "PLATFORM_INFO")
    flags = reader.uint(4, "flags")
    reader.take(4, "reserved")
    report_data, measurement = reader.take(64, "REPORT_DATA"), reader.take(48, "MEASUREMENT")
    host_data, id_key_digest = reader.take(32, "HOST_DATA"), reader.take(48, "ID_KEY_DIGEST")
    author_key_digest, report_id = reader.take(48, "AUTHOR_KEY_DIGEST"), reader.take(32, "REPORT_ID")
    report_id_ma, reported_tcb = reader.take(32, "REPORT_ID_MA"), reader.take(8, "REPORTED_TCB")
    cpuid = (reader.uint(1, "family"), reader.uint(1, "model"), reader.uint(1, "stepping"))
    reader.take(21, "reserved")
    chip_id, committed_tcb = reader.take(64, "CHIP_ID"), reader.take(8, "COMMITTED_TCB")
    reader.take(8, "firmware versions")
    launch_tcb = reader.take(8, "LAUNCH_TCB")
    mitigations = (reader.uint(8, "LAUNCH_MIT_VECTOR"), reader.uint(8, "CURRENT_MIT_VECTOR"))
    launch_mitigations, current_mitigations = mitigations if version >= 5 else (0, 0)
    return SnpReport(
        version=version,
        guest_svn=guest_svn,
        policy=policy,
        family_id=family_id,
        image_id=image_id,
        vmpl=vmpl,
        current_tcb=current_tcb,
        platform_info=platform_info,
        author_key_en=bool(flags & 1),
        mask_chip_key=bool(flags & 2),
        signing_key=flags >> 2 & 7,
        report_data=report_data,
        measurement=measurement,
        host_data=host_data,
        id_key_digest=id_key_digest,
        author_key_digest=author_key_digest,
        report_id=report_id,
        report_id_ma=report_id_ma,
        reported_tcb=reported_tcb,
        cpuid=cpuid if version >= 3 else None,
        chip_id=chip_id,
        committed_tcb=committed_tcb,
        launch_tcb=launch_tcb,
        launch_mitigations=launch_mitigations,
        current_mitigations=current_mitigations,
        signed=signed,
        signature_r=signature_r,
        signature_s=signature_s,
        certificates=certificates,
    )


def _scalar(reader: Reader, name: str) -> bytes:
    """Return a number of the signature: 72 bytes, little-endian, of which P-384 needs 48."""
    value = reader.take(_SCALAR, name)
    _zeros(reader, 72 - _SCALAR, name)
    return value


def _zeros(reader: Reader, count: int, name: str) -> None:
    if any(reader.take(count, name)):
        raise EvidenceFormatError(
            "bytes around the SNP report's signature are not zero", code=f"format:{_SUBJECT}", found=name
        )


def _one_of(found: int, wanted: tuple[int, ...], name: str) -> int:
    if found not in wanted:
        raise EvidenceFormatError(
            f"unknown {name} in the SNP report",
            code=f"format:{_SUBJECT}",
            found=found,
            wanted=" or ".join(map(str, wanted)),
        )
    return found
