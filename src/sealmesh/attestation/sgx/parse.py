"""Reading SGX quotes, also with the header that Open Enclave and EGo put before them."""

from dataclasses import dataclass

from sealmesh.attestation.dcap.enclave_report import EnclaveReport, parse_enclave_report
from sealmesh.attestation.dcap.quote import DcapQuote
from sealmesh.attestation.reader import Reader
from sealmesh.errors.attestation import EvidenceFormatError

OPEN_ENCLAVE_HEADER = (1).to_bytes(4, "little") + (2).to_bytes(4, "little")
"""`oe_report_header_t` of Open Enclave: version 1, type 2 (SGX remote); then the length, u64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SgxQuote:
    """A quote of an SGX enclave, unverified."""

    dcap: DcapQuote
    report: EnclaveReport


def parse_sgx_quote(quote: DcapQuote) -> SgxQuote:
    """Read the body of an SGX quote."""
    return SgxQuote(dcap=quote, report=parse_enclave_report(quote.body))


def strip_open_enclave_header(raw: bytes) -> bytes:
    """Return the quote behind an Open Enclave header, or `raw` itself where there is none.

    Raises:
        EvidenceFormatError: The length in the header is not that of the quote.
    """
    if not raw.startswith(OPEN_ENCLAVE_HEADER):
        return raw
    reader = Reader(raw, "open enclave header")
    reader.take(len(OPEN_ENCLAVE_HEADER), "version and type")
    length = reader.uint(8, "length")
    if length != reader.remaining:
        raise EvidenceFormatError(
            "the Open Enclave header announces another length",
            code="format:open enclave header",
            found=f"{reader.remaining} bytes",
            wanted=f"{length} bytes",
        )
    return reader.take(length, "quote")
