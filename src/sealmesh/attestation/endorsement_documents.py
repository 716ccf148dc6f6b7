"""Endorsements as one document of bytes each, whatever the family: what files and Endorsers hand over.

    SGX, TDX, Azure on TDX   the DCAP collateral, JSON
    SNP, Azure on SNP        PEM: AMD's CA and root, VCEK or VLEK where the report does not bring it,
                             and the root's revocation list
    CCA                      platform keys: a JWK, PEM, or a list with implementation and instance IDs
    TPM                      PEM public keys of attestation keys that Evidence does not name itself, and
                             certificates of manufacturers' CAs, down from the root, for EK certificates
    GPU                      PEM: the device's chain where the Evidence does not bring it; revocation lists;
                             OCSP responses (`OCSP RESPONSE`) about certificates of the chain
    Nitro                    nothing

Reading them verifies nothing. The nonce is never looked at here: it is the report data, for `appraise`.
"""

import re
from binascii import a2b_base64
from typing import assert_never

from sealmesh.attestation.azure import AzureCollateral, AzureEvidence
from sealmesh.attestation.cca import CcaCollateral, CcaToken, parse_platform_keys
from sealmesh.attestation.certification import Certificate, PublicKey, parse_certificate, parse_public_key
from sealmesh.attestation.dcap.collateral import parse_collateral
from sealmesh.attestation.evidence import CompositeEvidence, UnverifiedEvidence
from sealmesh.attestation.gpu import GpuCollateral, GpuEvidence
from sealmesh.attestation.nitro import NitroDocument
from sealmesh.attestation.self_contained import NoCollateral
from sealmesh.attestation.sgx import SgxQuote
from sealmesh.attestation.snp import SnpCollateral, SnpReport
from sealmesh.attestation.tdx import TdQuote
from sealmesh.attestation.tpm import EndorsedKey, GivenKeys, TpmCollateral, TpmEvidence
from sealmesh.attestation.unchecked import Unchecked
from sealmesh.attestation.verification import SingleCollateral
from sealmesh.errors.attestation import EndorsementFormatError

MAX_DOCUMENT_BYTES = 512 * 1024
MAX_BLOCKS = 32
_HARDWARE_ID = "1.3.6.1.4.1.3704.1.4"
_CERTIFICATE, _CRL, _PUBLIC_KEY = "CERTIFICATE", "X509 CRL", "PUBLIC KEY"
OCSP_RESPONSE = "OCSP RESPONSE"
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END \1-----")
_SUBJECT = "endorsements"


def needs_endorsements(evidence: UnverifiedEvidence) -> bool:
    """Return whether Evidence of this kind cannot be verified by what it brings itself."""
    return isinstance(evidence.quote, SgxQuote | TdQuote | CcaToken | AzureEvidence)


def parse_endorsements(evidence: UnverifiedEvidence, raw: bytes) -> SingleCollateral:
    """Parse the Endorsements for some Evidence; none at all (empty) is fine where it brings its own.

    Raises:
        EndorsementFormatError: Of another form than the family's.
    """
    match evidence.quote:
        case SgxQuote() | TdQuote():
            return parse_collateral(raw)
        case SnpReport() as report:
            return _snp(raw, report)
        case NitroDocument():
            return NoCollateral()
        case CcaToken():
            return CcaCollateral(platform_keys=parse_platform_keys(raw))
        case TpmEvidence() as quote:
            return TpmCollateral(key=_attestation_key(raw, quote), nonce=Unchecked())
        case AzureEvidence() as document:
            below = document.guest
            hardware = _snp(raw, below) if isinstance(below, SnpReport) else parse_collateral(raw)
            return AzureCollateral(hardware=hardware, nonce=Unchecked())
        case GpuEvidence():
            return _gpu(raw)
        case CompositeEvidence():
            raise ValueError("each part of a composite has its own Endorsements")
    assert_never(evidence.quote)


def _snp(raw: bytes, report: SnpReport) -> SnpCollateral:
    blocks = _blocks(raw)
    crls = [der for label, der in blocks if label == _CRL]
    certificates = [parse_certificate(der, subject="amd") for label, der in blocks if label == _CERTIFICATE]
    leaves = [found for found in certificates if found.path_length() is None]
    if len(crls) > 1:
        raise EndorsementFormatError("several revocation lists of one root", code=f"format:{_SUBJECT}")
    return SnpCollateral(
        leaf=_leaf(leaves, report),
        candidates=tuple(found.der for found in certificates if found.path_length() is not None),
        crl=crls[0] if crls else Unchecked(),
    )


def _leaf(leaves: list[Certificate], report: SnpReport) -> bytes | None:
    """Return the VCEK of the report's chip, else a VLEK, which names no chip."""
    for leaf in leaves:
        chip = leaf.extensions.get(_HARDWARE_ID)
        if chip is not None and report.chip_id.startswith(chip.value):
            return leaf.der
    return next((leaf.der for leaf in leaves if _HARDWARE_ID not in leaf.extensions), None)


def _gpu(raw: bytes) -> GpuCollateral:
    blocks = _blocks(raw)
    crls = tuple(der for label, der in blocks if label == _CRL)
    chain = b"".join(
        match.group() + b"\n" for match in _BLOCK.finditer(raw) if match.group(1) == b"CERTIFICATE"
    )
    ocsp = tuple(der for label, der in blocks if label == OCSP_RESPONSE)
    return GpuCollateral(chain=chain or None, crls=crls or Unchecked(), nonce=Unchecked(), ocsp=ocsp)


def _attestation_key(raw: bytes, quote: TpmEvidence) -> GivenKeys | EndorsedKey:
    named = () if quote.key is None else (quote.key.key,)
    given = GivenKeys(keys=(*named, *_public_keys(raw)))
    if quote.key is None or not quote.ek_chain:
        return given
    certificate, *above = quote.ek_chain
    authorities = (der for label, der in _blocks(raw) if label == _CERTIFICATE)
    return EndorsedKey(
        given=given,
        public_area=quote.key,
        certificate=certificate,
        candidates=(*above, *authorities),
    )


def _public_keys(raw: bytes) -> tuple[PublicKey, ...]:
    return tuple(
        parse_public_key(der, subject="attestation key")
        for label, der in _blocks(raw)
        if label == _PUBLIC_KEY
    )


def _blocks(raw: bytes) -> list[tuple[str, bytes]]:
    """Return the PEM blocks of a document as label and DER; text between them is for people."""
    if len(raw) > MAX_DOCUMENT_BYTES:
        raise EndorsementFormatError(
            "the endorsements are too long",
            code=f"limit:{_SUBJECT}",
            found=len(raw),
            wanted=MAX_DOCUMENT_BYTES,
        )
    matches = list(_BLOCK.finditer(raw))
    if len(matches) > MAX_BLOCKS or (raw.strip() and not matches):
        raise EndorsementFormatError(
            "the endorsements are not PEM, or too many", code=f"format:{_SUBJECT}", found=len(matches)
        )
    try:
        return [
            (
                match[1].decode(),
                a2b_base64(match[2].replace(b"\r", b"").replace(b"\n", b""), strict_mode=True),
            )
            for match in matches
        ]
    except ValueError as error:
        raise EndorsementFormatError("the endorsements are not base64", code=f"format:{_SUBJECT}") from error
