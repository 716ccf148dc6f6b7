"""Evidence, before and after verification. The types carry the order of the steps.

parse_evidence -> UnverifiedEvidence -> verify -> VerifiedEvidence -> appraise
"""

from dataclasses import dataclass
from datetime import datetime

from sealmesh.attestation.dcap.quote import BodyType, DcapQuote, parse_quote
from sealmesh.attestation.family import Family
from sealmesh.attestation.roots import TrustRoot
from sealmesh.attestation.sgx import EnclaveClaims, SgxQuote, parse_sgx_quote, strip_open_enclave_header
from sealmesh.attestation.tcb import TcbAppraisal
from sealmesh.attestation.tdx import TdClaims, TdQuote, parse_td_quote

Quote = SgxQuote | TdQuote
Claims = EnclaveClaims | TdClaims


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedEvidence:
    """Evidence whose form is known and nothing else. Do not believe a field of it.

    Attributes:
        family: Which kind of TEE it claims to be from.
        raw: The bytes as they came, with an Open Enclave header where there was one.
        quote: The family's own type.
    """

    family: Family
    raw: bytes
    quote: Quote

    @property
    def dcap(self) -> DcapQuote:
        """The DCAP frame that SGX and TDX share."""
        return self.quote.dcap


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedEvidence:
    """Genuine Evidence. Made by `verify` only; what it says has not been compared with anything.

    Attributes:
        family: The kind of TEE.
        root: The trust root it was verified under.
        claims: The facts.
        tcb: The vendor's word about the platform's firmware.
        expires: When the first certificate, CRL or document used here stops being valid.
        raw: The Evidence as it came.
    """

    family: Family
    root: TrustRoot
    claims: Claims
    tcb: TcbAppraisal
    expires: datetime
    raw: bytes


def parse_evidence(raw: bytes) -> UnverifiedEvidence:
    """Recognize the family of some Evidence and take it apart.

    Accepts SGX quotes (versions 3 to 5, also behind the 16-byte Open Enclave header) and TDX quotes
    (versions 4 and 5).

    Raises:
        EvidenceFormatError: Nothing that is known, or with bytes missing or left over.
    """
    quote = parse_quote(strip_open_enclave_header(raw))
    if quote.body_type is BodyType.SGX:
        return UnverifiedEvidence(family=Family.SGX, raw=raw, quote=parse_sgx_quote(quote))
    return UnverifiedEvidence(family=Family.TDX, raw=raw, quote=parse_td_quote(quote))
