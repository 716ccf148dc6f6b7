"""The certificate table that a host may give with a report.

Source: AMD 56421, SEV-ES Guest-Hypervisor Communication Block Standardization, section "SNP Extended Guest
Request": entries of GUID (16), offset (4), length (4), ended by an entry of zeros.
"""

from sealmesh.attestation.reader import Reader
from sealmesh.errors.attestation import EvidenceFormatError

_NAMES = {
    "63da758de6644564adc5f4b93be8accd": "VCEK",
    "a8074bc2a25a483eaae639c045a0b8a1": "VLEK",
    "4ab7b379bbac4fe4a02f05aef327c782": "ASK",
    "c0b406a4a803495297433fb6014cd0ae": "ARK",
}
_SUBJECT = "snp certificate table"
_MAX_ENTRIES = 16
_ENTRY = 24


def parse_certificate_table(table: bytes) -> dict[str, bytes]:
    """Return the certificates of a table by AMD's name; entries of unknown kinds are left out.

    Raises:
        EvidenceFormatError: `format:snp certificate table`.
    """
    reader = Reader(table, _SUBJECT)
    certificates: dict[str, bytes] = {}
    for count in range(_MAX_ENTRIES + 1):
        entry = reader.take(_ENTRY, "entry")
        if not any(entry):
            return certificates
        offset, length = int.from_bytes(entry[16:20], "little"), int.from_bytes(entry[20:], "little")
        if count == _MAX_ENTRIES or offset + length > len(table) or offset < _ENTRY:
            break
        name = _NAMES.get(entry[:16].hex()) or _NAMES.get(_mixed_endian(entry[:16]))
        if name in certificates:
            break
        if name is not None:
            certificates[name] = table[offset : offset + length]
    raise EvidenceFormatError("the SNP certificate table cannot be read", code=f"format:{_SUBJECT}")


def _mixed_endian(guid: bytes) -> str:
    """Return a GUID's digits as written where its first three parts are stored little-endian."""
    return (guid[3::-1] + guid[5:3:-1] + guid[7:5:-1] + guid[8:]).hex()
