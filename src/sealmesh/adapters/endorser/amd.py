"""Certificates and revocation lists for SEV-SNP from AMD's Key Distribution Service.

Source: AMD 57230, "Versioned Chip Endorsement Key (VCEK) Certificate and KDS Interface Specification";
58369, the same for VLEK, whose leaf only the cloud provider has.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.adapters.endorser.item import Item, read_certificates, read_crl
from sealmesh.adapters.endorser.item_cache import ItemCache
from sealmesh.attestation import Family, UnverifiedEvidence
from sealmesh.attestation.azure import AzureEvidence
from sealmesh.attestation.certification import parse_certificate
from sealmesh.attestation.snp import SnpReport
from sealmesh.attestation.snp.tcb import Generation, read_tcb
from sealmesh.errors.attestation import EndorserError, EndorserUnreachable

KDS: Final = "https://kdsintf.amd.com"
_VLEK: Final = 1
_PRODUCT: Final = "1.3.6.1.4.1.3704.1.2"
_PARAMETERS: Final[Mapping[str, str]] = {
    "fmc": "fmcSPL",
    "bl": "blSPL",
    "tee": "teeSPL",
    "snp": "snpSPL",
    "ucode": "ucodeSPL",
}


class AmdEndorser:
    """The certificates behind SNP reports, also those of Azure.

    Args:
        base: `https://HOST[:PORT]`, without a slash at the end.
        cache: For what it publishes.
    """

    def __init__(self, base: str, cache: ItemCache) -> None:
        self._base = base
        self._cache = cache

    def collateral_for(self, evidence: UnverifiedEvidence) -> bytes:
        """Return CA, root, revocation list, and the VCEK where the Evidence does not bring its leaf; PEM.

        Raises:
            EndorserUnreachable: Something has to be fetched and cannot be.
            EndorserError: Evidence of another family or root, an unknown or masked chip.
        """
        report = _report(evidence)
        if report is None:
            raise EndorserError(f"{self._base} is for SNP", found=evidence.family)
        kind = "vlek" if report.signing_key == _VLEK else "vcek"
        generation = _generation(report)
        chain = self._cache.get(self._chain(kind, generation)).parts["pem"]
        _check_root(self._base, chain, report)
        crl = self._cache.get(self._crl(kind, generation)).parts["crl"]
        leaf = self._leaf(report, generation)
        return b"".join((leaf, chain, x509.load_der_x509_crl(crl).public_bytes(Encoding.PEM)))

    def _leaf(self, report: SnpReport, generation: Generation) -> bytes:
        if not report.certificates.keys().isdisjoint(("VCEK", "VLEK")):
            return b""
        if report.signing_key == _VLEK:
            raise EndorserError(
                "AMD does not publish VLEK certificates",
                remedy="Have the guest send its certificate table, or put the VLEK into snp.pem.",
            )
        chip = report.chip_id[: generation.chip_id_length]
        if not any(chip):
            raise EndorserError(
                "the host masks the chip's ID in this report",
                wanted="a chip ID, or the VCEK in the certificate table",
                remedy="Have the guest send its certificate table, or unmask the ID on the host.",
            )
        parts = read_tcb(report.reported_tcb, generation).parts()
        query = {_PARAMETERS[name]: f"{value:02d}" for name, value in parts.items()}
        item = Item(
            key=f"amd-vcek-{generation}-{chip.hex()}-{report.reported_tcb.hex()}",
            url=f"{self._base}/vcek/v1/{generation}/{chip.hex()}?{urlencode(query)}",
            headers=(),
            read=read_certificates,
            platform=Family.SNP,
        )
        return self._cache.get(item).parts["pem"]

    def _chain(self, kind: str, generation: Generation) -> Item:
        return Item(
            key=f"amd-{kind}-{generation}-chain",
            url=f"{self._base}/{kind}/v1/{generation}/cert_chain",
            headers=(),
            read=read_certificates,
        )

    def _crl(self, kind: str, generation: Generation) -> Item:
        url = f"{self._base}/{kind}/v1/{generation}/crl"
        return Item(key=f"amd-{kind}-{generation}-crl", url=url, headers=(), read=read_crl)


def _report(evidence: UnverifiedEvidence) -> SnpReport | None:
    quote = evidence.quote.guest if isinstance(evidence.quote, AzureEvidence) else evidence.quote
    return quote if isinstance(quote, SnpReport) else None


def _generation(report: SnpReport) -> Generation:
    """Return the generation of the processor: its CPUID's; in version 2, without one, the leaf's or Milan.

    The leaf is the one that `verify` looks at, so that its CA's revocation list is fetched and no other.
    """
    if report.cpuid is None:
        leaf = report.certificates.get("VCEK") or report.certificates.get("VLEK")
        return Generation.MILAN if leaf is None else _generation_of(leaf)
    family, model, _ = report.cpuid
    if family == 0x1A:
        return Generation.TURIN
    return Generation.MILAN if model < 0x10 else Generation.GENOA


def _generation_of(leaf: bytes) -> Generation:
    product = parse_certificate(leaf, subject="vcek").extensions.get(_PRODUCT)
    name = b"" if product is None else product.value[2:]
    for generation in Generation:
        if name.startswith(generation.encode()):
            return generation
    raise EndorserUnreachable(
        "the revocation list of this processor", found=repr(name[:32]), wanted=", ".join(Generation)
    )


def _check_root(base: str, chain: bytes, report: SnpReport) -> None:
    """Refuse a report that brings another root than this server's: another vendor's, such as a simulated."""
    brought = report.certificates.get("ARK")
    known = [c.public_bytes(Encoding.DER) for c in x509.load_pem_x509_certificates(chain)]
    if brought is not None and brought not in known:
        raise EndorserError(f"the report's root is not the one of {base}", wanted="no root, or AMD's")
