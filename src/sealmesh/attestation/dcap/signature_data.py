"""The signature data of a DCAP quote: who signed, and on whose authority.

    quote signature    64   by the attestation key, over header and body
    attestation key    64   raw P-256 point
    [version 4 and 5: certification data of type 6 around the rest: type u16 = 6, length u32]
    QE report         384   the quoting enclave's own report
    QE signature       64   by the PCK key, over the QE report
    QE auth data      u16 length, bytes
    certification     type u16 = 5, length u32, the PCK certificate chain in PEM

Source: Intel SGX ECDSA Quote Library API and Intel TDX DCAP Quoting Library API, appendix A ("ECDSA 256-bit
Quote Signature Data Structure", "QE Certification Data", "QE Report Certification Data").
"""

from dataclasses import dataclass
from functools import lru_cache

from sealmesh.attestation.dcap.enclave_report import REPORT_LENGTH, EnclaveReport, parse_enclave_report
from sealmesh.attestation.reader import Reader
from sealmesh.errors.attestation import EvidenceFormatError

PCK_CHAIN = 5
QE_REPORT_CERTIFICATION = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCertification:
    """The attestation key and what vouches for it; the same in all quotes of a platform. Nothing is verified.

    Attributes:
        raw: All of it, as it stood in the quote.
        attestation_key: Raw point, 64 bytes.
        qe_report_raw: The 384 signed bytes.
        qe_report: The same, parsed.
        qe_report_signature: 64 bytes.
        qe_auth_data: What the QE hashed together with the attestation key.
        pck_chain: PEM, as it stood in the quote.
    """

    raw: bytes
    attestation_key: bytes
    qe_report_raw: bytes
    qe_report: EnclaveReport
    qe_report_signature: bytes
    qe_auth_data: bytes
    pck_chain: bytes


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
            chain (types 1 to 4 name the certificate instead of carrying it).
    """
    reader = Reader(raw, "signature data")
    return SignatureData(
        quote_signature=reader.take(64, "quote signature"),
        certification=_parse_certification(reader.take(reader.remaining, "certification"), nested),
    )


@lru_cache(maxsize=16)  # most quotes come from few platforms
def _parse_certification(raw: bytes, nested: bool) -> KeyCertification:
    reader = Reader(raw, "signature data")
    attestation_key = reader.take(64, "attestation key")
    if nested:
        inner = Reader(_certification(reader, QE_REPORT_CERTIFICATION), "QE report certification data")
        reader.finish()
        reader = inner
    qe_report_raw = reader.take(REPORT_LENGTH, "QE report")
    qe_report_signature = reader.take(64, "QE report signature")
    qe_auth_data = reader.take(reader.uint(2, "length of QE authentication data"), "QE authentication data")
    pck_chain = _certification(reader, PCK_CHAIN)
    reader.finish()
    return KeyCertification(
        raw=raw,
        attestation_key=attestation_key,
        qe_report_raw=qe_report_raw,
        qe_report=parse_enclave_report(qe_report_raw),
        qe_report_signature=qe_report_signature,
        qe_auth_data=qe_auth_data,
        pck_chain=pck_chain,
    )


def _certification(reader: Reader, wanted: int) -> bytes:
    kind = reader.uint(2, "certification data type")
    if kind != wanted:
        raise EvidenceFormatError(
            "certification data of a type that does not carry what is needed",
            code="format:certification data",
            found=f"type {kind}",
            wanted=f"type {wanted}",
        )
    return reader.take(reader.uint(4, "length of certification data"), "certification data")
