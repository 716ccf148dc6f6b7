"""Read packages and infrastructures."""

from sealmesh.manifest.json_values import JsonValue
from sealmesh.manifest.model import Infrastructure, Package
from sealmesh.manifest.reading.evidence import EvidenceView, read_evidence
from sealmesh.manifest.reading.pem import first_block
from sealmesh.manifest.reading.view import Reading, View
from sealmesh.manifest.report import Path
from sealmesh.manifest.shapes import INFRASTRUCTURE, PACKAGE

_FMSPC = 6
_PLATFORM_ID = (16, 33, 64)  # PPID, CCA instance ID, SNP chip ID


def read_package(reading: Reading, value: JsonValue, path: Path) -> Package:
    """Read one package."""
    view = View(reading, value, path, PACKAGE)
    return Package(
        debug=view.flag("Debug"),
        unique_id=view.text("UniqueID"),
        signer_id=view.text("SignerID"),
        product_id=view.optional_unsigned("ProductID"),
        security_version=view.optional_unsigned("SecurityVersion"),
        accepted_tcb_statuses=view.optional_texts("AcceptedTCBStatuses"),
        accepted_advisories=view.optional_texts("AcceptedAdvisories"),
        evidence=read_evidence(reading, view),
    )


def read_infrastructure(reading: Reading, value: JsonValue, path: Path) -> Infrastructure:
    """Read one infrastructure."""
    view = View(reading, value, path, INFRASTRUCTURE)
    own = EvidenceView(reading, view)
    return Infrastructure(
        cpu_svn=view.data("CPUSVN"),
        root_ca=_der(view.data("RootCA")),
        qe_svn=view.optional_unsigned("QESVN", bits=16),
        pce_svn=view.optional_unsigned("PCESVN", bits=16),
        fmspcs=own.octets_list("FMSPCs", _FMSPC),
        platform_ids=own.octets_list("PlatformIDs", *_PLATFORM_ID),
        regions=own.texts("Regions"),
    )


def _der(certificate: bytes) -> bytes:
    """Return what a PEM block holds; anything else as it is."""
    block = first_block(certificate.decode("latin-1"))
    return certificate if block is None else block.data
