"""The signature data of a DCAP quote: who signed, and on whose authority.

    quote signature    64   by the attestation key, over header and body
    attestation key    64   raw P-256 point
    [version 4 and 5: certification data of type 6 around the rest: type u16 = 6, length u32]
    QE report         384   the quoting enclave's own report
    QE signature       64   by the PCK key, over the QE report
    QE auth data      u16 length, bytes
    certification     type u16 = 5, length u32, the PCK certificate chain in PEM;
                      type 1, 2 or 3: PPID (clear, or encrypted with RSA-2048 or RSA-3072), CPUSVN (16),
                      PCE SVN u16, PCE ID u16, by which the certificate is to be fetched

Source: Intel SGX ECDSA Quote Library API and Intel TDX DCAP Quoting Library API, appendix A ("ECDSA 256-bit
Quote Signature Data Structure", "QE Certification Data", "QE Report Certification Data").
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from sealmesh.attestation.dcap.enclave_report import REPORT_LENGTH, EnclaveReport, parse_enclave_report
from sealmesh.attestation.reader import Reader
from sealmesh.errors.attestation import EvidenceFormatError

PCK_CHAIN = 5
QE_REPORT_CERTIFICATION = 6
PPID_RSA3072 = 3
PPID_LENGTHS = {1: 16, 2: 256, PPID_RSA3072: 384}
"""By certification data type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PckName:
    """What names a PCK certificate, where the quote does not carry it.

    Attributes:
        kind: The certification data type: 1, 2 or 3.
        ppid: 16, 256 or 384 bytes; encrypted for Intel but for type 1.
        cpu_svn: 16 bytes.
        pce_svn: 2 bytes, little-endian.
        pce_id: 2 bytes, little-endian.
    """

    kind: int
    ppid: bytes
    cpu_svn: bytes
    pce_svn: bytes
    pce_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCertification:
    """The attestation key and what vouches for it; the same in all quotes of a platform. Nothing is verified.

    Attributes:
        digest: SHA-256 of all of it, as it stood in the quote.
        attestation_key: Raw point, 64 bytes.
        qe_report_raw: The 384 signed bytes.
        qe_report: The same, parsed.
        qe_report_signature: 64 bytes.
        qe_auth_data: What the QE hashed together with the attestation key.
        pck_chain: PEM, as it stood in the quote; None where it names its certificate.
        pck_name: Then what it is named by.
    """

    digest: bytes
    attestation_key: bytes
    qe_report_raw: bytes
    qe_report: EnclaveReport
    qe_report_signature: bytes
    qe_auth_data: bytes
    pck_chain: bytes | None
    pck_name: PckName | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureData:
    """The parts of the signature data, none of them verified.

    Attributes:
        quote_signature: 64 bytes.
        certification: Of the key that made it.
    """

    quote_signature: bytes
    certification: KeyCertification


def parse_signature_data(raw: bytes, *, nested: bool) -> SignatureData:
    """Parse the signature data of a quote.

    Args:
        raw: Exactly the bytes that the quote's length field announces.
        nested: Whether the QE report stands inside certification data of type 6 (version 4 and 5).

    Raises:
        EvidenceFormatError: Lengths do not add up, or a certification data type that is not the PCK
            chain and does not name its certificate.
    """
    reader = Reader(raw, "signature data")
    return SignatureData(
        quote_signature=reader.take(64, "quote signature"),
        certification=parse_certification(reader.take(reader.remaining, "certification"), nested),
    )


@lru_cache(maxsize=16)  # most quotes come from few platforms
def parse_certification(raw: bytes, nested: bool) -> KeyCertification:
    """Parse all of the signature data but the quote's own signature; remembers a few.

    Raises:
        EvidenceFormatError: As for `parse_signature_data`.
    """
    reader = Reader(raw, "signature data")
    attestation_key = reader.take(64, "attestation key")
    if nested:
        inner = Reader(_certification(reader, QE_REPORT_CERTIFICATION), "QE report certification data")
        reader.finish()
        reader = inner
    qe_report_raw = reader.take(REPORT_LENGTH, "QE report")
    qe_report_signature = reader.take(64, "QE report signature")
    qe_auth_data = reader.take(reader.uint(2, "length of QE authentication data"), "QE authentication data")
    pck_chain, pck_name = _pck(reader)
    reader.finish()
    return KeyCertification(
        digest=sha256(raw).digest(),
        attestation_key=attestation_key,
        qe_report_raw=qe_report_raw,
        qe_report=parse_enclave_report(qe_report_raw),
        qe_report_signature=qe_report_signature,
        qe_auth_data=qe_auth_data,
        pck_chain=pck_chain,
        pck_name=pck_name,
    )


def _pck(reader: Reader) -> tuple[bytes, None] | tuple[None, PckName]:
    kind = reader.uint(2, "certification data type")
    if kind not in (PCK_CHAIN, *PPID_LENGTHS):
        raise _wrong_type(kind, f"type {PCK_CHAIN}, or 1 to 3")
    content = reader.take(reader.uint(4, "length of certification data"), "certification data")
    return (content, None) if kind == PCK_CHAIN else (None, _pck_name(kind, content))


def _pck_name(kind: int, content: bytes) -> PckName:
    reader = Reader(content, "certification data")
    name = PckName(
        kind=kind,
        ppid=reader.take(PPID_LENGTHS[kind], "PPID"),
        cpu_svn=reader.take(16, "CPUSVN"),
        pce_svn=reader.take(2, "PCE SVN"),
        pce_id=reader.take(2, "PCE ID"),
    )
    reader.finish()
    return name


def _certification(reader: Reader, wanted: int) -> bytes:
    kind = reader.uint(2, "certification data type")
    if kind != wanted:
        raise _wrong_type(kind, f"type {wanted}")
    return reader.take(reader.uint(4, "length of certification data"), "certification data")


def _wrong_type(kind: int, wanted: str) -> EvidenceFormatError:
    return EvidenceFormatError(
        "certification data of a type that does not carry what is needed",
        code="format:certification data",
        found=f"type {kind}",
        wanted=wanted,
    )
