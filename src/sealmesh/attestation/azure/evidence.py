"""Evidence of an Azure confidential VM, as its attestation agents write it: one JSON object.

    {"version": 1 or 2,
     "hcl_report": base64url,
     "tpm_quote": {"message": hex, "signature": hex, "pcrs": [24 times hex]},
     "vcek": base64url DER        with SNP underneath
     "td_quote": base64url        with TDX underneath, zeros after the quote}

Also inside `{"platform": "az-snp" or "az-tdx", "evidence": {...}}`. The signature is RSASSA with SHA-256
without the TPM's header; the registers are those of the SHA-256 bank.
"""

from dataclasses import dataclass
from typing import NoReturn

from sealmesh.attestation.azure.hcl_report import Hardware, HclReport, parse_hcl_report
from sealmesh.attestation.azure.runtime_claims import base64url_octets, hex_octets, load_evidence_json
from sealmesh.attestation.dcap.quote import MAX_QUOTE_BYTES, BodyType, parse_quote
from sealmesh.attestation.snp import SnpReport, parse_snp_report
from sealmesh.attestation.tdx import TdQuote, parse_td_quote
from sealmesh.attestation.tpm import Bank, Scheme
from sealmesh.attestation.tpm.attest import Attest, parse_attest
from sealmesh.attestation.tpm.evidence import PcrValues
from sealmesh.attestation.tpm.signature import Signature
from sealmesh.errors.attestation import EvidenceFormatError

MAX_DOCUMENT_BYTES = 64 * 1024
_VERSIONS = (1, 2)
_COMMON = {"version", "hcl_report", "tpm_quote"}
_PLATFORMS = {"az-snp": Hardware.SNP, "az-tdx": Hardware.TDX}
_PCRS = 24
_LENGTH_OFFSETS = {4: 48 + 584, 5: 48 + 6 + 648}
_MAX_BLANKS = 64
_SUBJECT = "azure evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureEvidence:
    """Evidence taken apart; nothing is verified.

    Attributes:
        hcl: The paravisor's report.
        attest: What the vTPM signed.
        signature: Its signature.
        pcrs: The registers' values, as the sender says.
        guest: What the hardware says: the SNP report inside the paravisor's, or the TD quote beside it.
        vcek: With SNP, the certificate of the chip's key, DER.
    """

    hcl: HclReport
    attest: Attest
    signature: Signature
    pcrs: PcrValues
    guest: SnpReport | TdQuote
    vcek: bytes | None


def is_azure_evidence(raw: bytes) -> bool:
    """Return whether the evidence could be this: a JSON object."""
    return raw[:_MAX_BLANKS].lstrip(b" \t\r\n").startswith(b"{")


def parse_azure_evidence(raw: bytes) -> AzureEvidence:
    """Parse the document.

    Raises:
        EvidenceFormatError: `limit:azure evidence`, or `format:` and `azure evidence`, `hcl report`,
            `hcl claims`, `tpm quote`, or what a report or quote underneath has.
    """
    if len(raw) > MAX_DOCUMENT_BYTES:
        raise EvidenceFormatError(
            "the document is too long", code=f"limit:{_SUBJECT}", found=len(raw), wanted=MAX_DOCUMENT_BYTES
        )
    document, platform = _unwrap(load_evidence_json(raw, subject=_SUBJECT))
    hcl = parse_hcl_report(_octets(document, "hcl_report"))
    if platform not in (None, hcl.hardware):
        _refuse("the platform that it names", found=hcl.hardware.name)
    own = "vcek" if hcl.hardware is Hardware.SNP else "td_quote"
    if document.keys() != _COMMON | {own} or not _is_version(document["version"]):
        _refuse(f"version 1 or 2, with {own}")
    message, signature, pcrs = _tpm_quote(document["tpm_quote"])
    return AzureEvidence(
        hcl=hcl,
        attest=parse_attest(message),
        signature=Signature(scheme=Scheme.RSASSA, hash=Bank.SHA256, value=signature),
        pcrs={Bank.SHA256: pcrs},
        guest=_guest(hcl, document),
        vcek=_octets(document, "vcek") if hcl.hardware is Hardware.SNP else None,
    )


def _is_version(value: object) -> bool:
    return type(value) is int and value in _VERSIONS


def _unwrap(document: dict[str, object]) -> tuple[dict[str, object], Hardware | None]:
    if "platform" not in document:
        return document, None
    platform, evidence = document["platform"], document.get("evidence")
    if document.keys() != {"platform", "evidence"} or not isinstance(evidence, dict):
        _refuse("platform and evidence")
    if not isinstance(platform, str) or platform not in _PLATFORMS:
        _refuse(" or ".join(_PLATFORMS))
    return evidence, _PLATFORMS[platform]


def _tpm_quote(quote: object) -> tuple[bytes, bytes, dict[int, bytes]]:
    if not isinstance(quote, dict) or quote.keys() != {"message", "signature", "pcrs"}:
        _refuse("tpm_quote with message, signature and pcrs")
    message, signature, values = hex_octets(quote["message"]), hex_octets(quote["signature"]), quote["pcrs"]
    if message is None or signature is None:
        _refuse("message and signature in hexadecimal")
    if not isinstance(values, list) or len(values) != _PCRS:
        _refuse(f"{_PCRS} registers")
    pcrs: dict[int, bytes] = {}
    for index, text in enumerate(values):
        value = hex_octets(text)
        if value is None or len(value) != Bank.SHA256.length:
            _refuse("registers of 32 bytes in hexadecimal")
        pcrs[index] = value
    return message, signature, pcrs


def _guest(hcl: HclReport, document: dict[str, object]) -> SnpReport | TdQuote:
    if hcl.hardware is Hardware.SNP:
        return parse_snp_report(hcl.hardware_report)
    quote = parse_quote(_without_padding(_octets(document, "td_quote")))
    if quote.body_type is BodyType.SGX:
        _refuse("a quote of a TD")
    return parse_td_quote(quote)


def _without_padding(raw: bytes) -> bytes:
    """Return a quote without the zeros that Azure's service leaves behind it."""
    offset = _LENGTH_OFFSETS.get(int.from_bytes(raw[:2], "little"))
    if offset is None or len(raw) > 2 * MAX_QUOTE_BYTES:
        return raw
    end = offset + 4 + int.from_bytes(raw[offset : offset + 4], "little")
    return raw if any(raw[end:]) else raw[:end]


def _octets(document: dict[str, object], name: str) -> bytes:
    octets = base64url_octets(document.get(name))
    if not octets:
        _refuse(f"{name} in base64url")
    return octets


def _refuse(wanted: str, found: object = None) -> NoReturn:
    raise EvidenceFormatError(
        "the Evidence of an Azure VM is not as it must be",
        code=f"format:{_SUBJECT}",
        found=found,
        wanted=wanted,
    )
