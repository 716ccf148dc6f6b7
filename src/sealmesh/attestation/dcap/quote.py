"""The frame of a DCAP quote: header, body, signature data.

    version 3       header 48, SGX body 384, length u32, signature data
    version 4       header 48, SGX body 384 or TD body 584, length u32, signature data
    version 5       header 48, body type u16, body length u32, body, length u32, signature data

Source: Intel SGX ECDSA Quote Library API and Intel TDX DCAP Quoting Library API, appendix A, "Quote Format".
"""

from dataclasses import dataclass
from enum import IntEnum

from sealmesh.attestation.dcap.signature_data import SignatureData, parse_signature_data
from sealmesh.attestation.reader import Reader
from sealmesh.errors.attestation import EvidenceFormatError

MAX_QUOTE_BYTES = 64 * 1024
"""A quote is about 5 kB; its longest part is a PCK chain of three small certificates."""

HEADER_LENGTH = 48
ECDSA_P256 = 2
TEE_SGX = 0x00000000
TEE_TDX = 0x00000081
INTEL_QE_VENDOR_ID = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")


class BodyType(IntEnum):
    """What the quote speaks about; the numbers are those of version 5."""

    SGX = 1
    TD10 = 2
    TD15 = 3


BODY_LENGTHS = {BodyType.SGX: 384, BodyType.TD10: 584, BodyType.TD15: 648}
_BODY_OF_TEE = {TEE_SGX: BodyType.SGX, TEE_TDX: BodyType.TD10}


@dataclass(frozen=True, slots=True, kw_only=True)
class DcapQuote:
    """A quote taken apart; nothing is verified.

    Attributes:
        version: 3, 4 or 5.
        qe_svn: The quoting enclave's security version (version 3 only, else 0).
        pce_svn: The provisioning certification enclave's (version 3 only, else 0).
        qe_id: 16 bytes that name the platform at a caching service (from the user data).
        body_type: How to read `body`.
        body: The report body.
        signed: The bytes that the quote's signature covers: header, body descriptor and body.
        signature: The signature data.
    """

    version: int
    qe_svn: int
    pce_svn: int
    qe_id: bytes
    body_type: BodyType
    body: bytes
    signed: bytes
    signature: SignatureData


def parse_quote(raw: bytes) -> DcapQuote:
    """Parse a quote of version 3, 4 or 5.

    Raises:
        EvidenceFormatError: Unknown version, key type, TEE or vendor; lengths that do not add up;
            trailing bytes; longer than `MAX_QUOTE_BYTES`.
    """
    if len(raw) > MAX_QUOTE_BYTES:
        raise EvidenceFormatError(
            "the quote is too long",
            code="limit:quote",
            found=f"{len(raw)} bytes",
            wanted=f"{MAX_QUOTE_BYTES}",
        )
    reader = Reader(raw, "quote")
    version = _one_of(reader.uint(2, "version"), (3, 4, 5), "version")
    _one_of(reader.uint(2, "attestation key type"), (ECDSA_P256,), "attestation key type")
    tee = _one_of(reader.uint(4, "TEE type"), (TEE_SGX,) if version == 3 else (TEE_SGX, TEE_TDX), "TEE type")
    qe_svn, pce_svn = reader.uint(2, "QE SVN"), reader.uint(2, "PCE SVN")
    vendor = reader.take(16, "QE vendor ID")
    if vendor != INTEL_QE_VENDOR_ID:
        raise EvidenceFormatError(
            "quote of another QE vendor",
            code="format:qe vendor",
            found=vendor.hex(),
            wanted=INTEL_QE_VENDOR_ID.hex(),
        )
    qe_id = reader.take(20, "user data")[:16]
    body_type = _body_type(reader, version, tee)
    body = reader.take(BODY_LENGTHS[body_type], "body")
    signed = raw[: len(raw) - reader.remaining]
    signature = reader.take(reader.uint(4, "length of signature data"), "signature data")
    reader.finish()
    return DcapQuote(
        version=version,
        qe_svn=qe_svn if version == 3 else 0,
        pce_svn=pce_svn if version == 3 else 0,
        qe_id=qe_id,
        body_type=body_type,
        body=body,
        signed=signed,
        signature=parse_signature_data(signature, nested=version > 3),
    )


def _body_type(reader: Reader, version: int, tee: int) -> BodyType:
    if version < 5:
        return _BODY_OF_TEE[tee]
    wanted = (BodyType.SGX,) if tee == TEE_SGX else (BodyType.TD10, BodyType.TD15)
    body_type = BodyType(_one_of(reader.uint(2, "body type"), wanted, "body type"))
    _one_of(reader.uint(4, "body length"), (BODY_LENGTHS[body_type],), "body length")
    return body_type


def _one_of(found: int, wanted: tuple[int, ...], name: str) -> int:
    if found not in wanted:
        raise EvidenceFormatError(
            f"unknown {name} in the quote",
            code=f"format:{name.lower()}",
            found=found,
            wanted=" or ".join(str(int(number)) for number in wanted),
        )
    return found
