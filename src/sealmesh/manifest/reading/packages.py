"""Read packages and infrastructures."""

from sealmesh.manifest.json_values import JsonValue
from sealmesh.manifest.model import Infrastructure, Package
from sealmesh.manifest.reading.evidence import read_evidence
from sealmesh.manifest.reading.view import Reading, View
from sealmesh.manifest.report import Path
from sealmesh.manifest.shapes import INFRASTRUCTURE, PACKAGE


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
    return Infrastructure(
        cpu_svn=view.data("CPUSVN"),
        root_ca=view.data("RootCA"),
        qe_svn=view.optional_unsigned("QESVN", bits=16),
        pce_svn=view.optional_unsigned("PCESVN", bits=16),
    )
