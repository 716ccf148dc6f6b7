"""Evidence, before and after verification. The types carry the order of the steps.

parse_evidence -> UnverifiedEvidence -> verify -> VerifiedEvidence -> appraise
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sealmesh.attestation.azure import (
    AzureClaims,
    AzureEvidence,
    is_azure_evidence,
    parse_azure_evidence,
)
from sealmesh.attestation.cca import CcaClaims, CcaToken, is_cca_token, parse_cca_token
from sealmesh.attestation.composite import is_composite, split_composite
from sealmesh.attestation.dcap.quote import BodyType, DcapQuote, parse_quote
from sealmesh.attestation.family import Family
from sealmesh.attestation.gpu import GpuClaims, GpuEvidence, is_gpu_evidence, parse_gpu_evidence
from sealmesh.attestation.nitro import NitroClaims, NitroDocument, is_nitro_document, parse_nitro_document
from sealmesh.attestation.roots import TrustRoot
from sealmesh.attestation.sgx import EnclaveClaims, SgxQuote, parse_sgx_quote, strip_open_enclave_header
from sealmesh.attestation.snp import SnpClaims, SnpReport, is_snp_report, parse_snp_report
from sealmesh.attestation.tcb import TcbAppraisal
from sealmesh.attestation.tdx import TdClaims, TdQuote, parse_td_quote
from sealmesh.attestation.tpm import TpmClaims, TpmEvidence, is_tpm_evidence, parse_tpm_evidence
from sealmesh.attestation.validity import Validity
from sealmesh.errors.attestation import EvidenceFormatError

MAX_EVIDENCE_BYTES = 512 * 1024
"""A TPM's quote with a long event log has 100 kB; a composite has up to four such parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeEvidence:
    """Evidence of several families from one machine; nothing is verified."""

    parts: "tuple[UnverifiedEvidence, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeClaims:
    """Several pieces of genuine Evidence. That they belong together is for `appraise`."""

    parts: "tuple[VerifiedEvidence, ...]"


Quote = (
    SgxQuote
    | TdQuote
    | SnpReport
    | NitroDocument
    | CcaToken
    | TpmEvidence
    | AzureEvidence
    | GpuEvidence
    | CompositeEvidence
)
SingleClaims = (
    EnclaveClaims | TdClaims | SnpClaims | NitroClaims | CcaClaims | TpmClaims | AzureClaims | GpuClaims
)
Claims = SingleClaims | CompositeClaims


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
    def dcap_quote(self) -> SgxQuote | TdQuote | None:
        """The DCAP quote that Intel's collateral is needed for: SGX, TDX, Azure on TDX; else None."""
        quote = self.quote.guest if isinstance(self.quote, AzureEvidence) else self.quote
        return quote if isinstance(quote, SgxQuote | TdQuote) else None

    @property
    def endorsed_tpm(self) -> "UnverifiedEvidence | None":
        """The TPM's quote in it that comes with an EK certificate, so that its TPM has to be challenged."""
        parts = self.quote.parts if isinstance(self.quote, CompositeEvidence) else (self,)
        return next(
            (part for part in parts if isinstance(part.quote, TpmEvidence) and part.quote.ek_chain), None
        )

    @property
    def dcap(self) -> DcapQuote:
        """The DCAP frame that SGX and TDX share.

        Raises:
            EvidenceFormatError: `format:dcap`, Evidence of another family.
        """
        quote = self.dcap_quote
        if quote is not None:
            return quote.dcap
        raise EvidenceFormatError(
            "not a DCAP quote", code="format:dcap", found=self.family, wanted="sgx or tdx"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedEvidence:
    """Genuine Evidence. Made by `verify` only; what it says has not been compared with anything.

    Attributes:
        family: The kind of TEE.
        root: The trust root it was verified under.
        claims: The facts.
        tcb: The vendor's word about the platform's firmware.
        validity: When every certificate, CRL and document used here is valid.
        raw: The Evidence as it came.
    """

    family: Family
    root: TrustRoot
    claims: Claims
    tcb: TcbAppraisal
    validity: Validity
    raw: bytes

    @property
    def expires(self) -> datetime:
        """When the first certificate, CRL or document used here stops being valid."""
        return self.validity.not_after


def parse_evidence(raw: bytes) -> UnverifiedEvidence:
    """Recognize the family of some Evidence and take it apart.

    Accepts SGX quotes (versions 3 to 5, also behind the 16-byte Open Enclave header), TDX quotes
    (versions 4 and 5), SNP reports (versions 2 to 5, also before a certificate table), Nitro
    attestation documents (with or without tag 18) CCA tokens (tag 399), and TPM
    quotes in sealmesh's envelope, the JSON of Azure's agents, NVIDIA's SPDM measurements,
    and several of these in a composite.

    Raises:
        EvidenceFormatError: Nothing that is known, or with bytes missing or left over; `limit:evidence`.
    """
    if len(raw) > MAX_EVIDENCE_BYTES:
        raise EvidenceFormatError(
            "the Evidence is too long", code="limit:evidence", found=len(raw), wanted=MAX_EVIDENCE_BYTES
        )
    if is_composite(raw):
        parts = tuple(map(_parse_single, split_composite(raw)))
        return UnverifiedEvidence(family=Family.COMPOSITE, raw=raw, quote=CompositeEvidence(parts=parts))
    return _parse_single(raw)


def _parse_single(raw: bytes) -> UnverifiedEvidence:
    for is_form, family, parse in _FORMS:
        if is_form(raw):
            return UnverifiedEvidence(family=family, raw=raw, quote=parse(raw))
    quote = parse_quote(strip_open_enclave_header(raw))
    if quote.body_type is BodyType.SGX:
        return UnverifiedEvidence(family=Family.SGX, raw=raw, quote=parse_sgx_quote(quote))
    return UnverifiedEvidence(family=Family.TDX, raw=raw, quote=parse_td_quote(quote))


_FORMS: tuple[tuple[Callable[[bytes], bool], Family, Callable[[bytes], Quote]], ...] = (
    (is_snp_report, Family.SNP, parse_snp_report),
    (is_cca_token, Family.CCA, parse_cca_token),
    (is_tpm_evidence, Family.TPM, parse_tpm_evidence),
    (is_gpu_evidence, Family.GPU, parse_gpu_evidence),
    (is_azure_evidence, Family.AZURE, parse_azure_evidence),
    (is_nitro_document, Family.NITRO, parse_nitro_document),
)
"""How to tell a family by the first bytes; no two overlap. What is none of these must be a DCAP quote."""
