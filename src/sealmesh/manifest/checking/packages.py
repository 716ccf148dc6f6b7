"""Packages say which software; infrastructures say on what hardware."""

from cryptography import x509

from sealmesh.manifest.model import Manifest, Package
from sealmesh.manifest.reading.view import Reading

_CPU_SVN = 16
_FINGERPRINT = 32


def check_packages(reading: Reading, manifest: Manifest) -> None:
    """Check that there are packages and that those in use identify software (COMPAT section 8)."""
    if not manifest.packages and reading.sound("Packages"):
        reading.report.add("package.none", ("Packages",), "A manifest needs at least one package.")
    used = {marble.package for marble in manifest.marbles.values()}
    for name, package in manifest.packages.items():
        if package.evidence is not None:
            _check_nothing_beside_evidence(reading, name, package)
        elif name in used and not package.debug and reading.sound("Packages", name):
            _check_identity(reading, name, package)


def _check_nothing_beside_evidence(reading: Reading, name: str, package: Package) -> None:
    beside = {
        "Debug": package.debug,
        "UniqueID": bool(package.unique_id),
        "SignerID": bool(package.signer_id),
        "ProductID": package.product_id is not None,
        "SecurityVersion": package.security_version is not None,
        "AcceptedTCBStatuses": package.accepted_tcb_statuses is not None,
        "AcceptedAdvisories": package.accepted_advisories is not None,
    }
    for field in (field for field, there in beside.items() if there):
        reading.report.add(
            "package.beside-evidence",
            ("Packages", name, field),
            f"{field} stands beside Evidence, which already says everything.",
            remedy=f'Move it into an entry of the list: {{"SGX": {{"{field}": ...}}}}.',
        )


def _check_identity(reading: Reading, name: str, package: Package) -> None:
    path = ("Packages", name)
    by_signer = {
        "SignerID": bool(package.signer_id),
        "ProductID": package.product_id is not None,
        "SecurityVersion": package.security_version is not None,
    }
    given = [field for field, there in by_signer.items() if there]
    missing = [field for field, there in by_signer.items() if not there]
    if package.unique_id and given:
        reading.report.add(
            "package.mixed-identity",
            path,
            f"UniqueID stands beside {', '.join(given)}.",
            remedy="UniqueID already means exactly one build: keep it alone, or leave it out.",
        )
    elif not package.unique_id and not given:
        reading.report.add(
            "package.no-identity",
            path,
            "The package does not say which software it is.",
            remedy="Give UniqueID, or SignerID with ProductID and SecurityVersion "
            "(`sealmesh uniqueid`, `sealmesh signerid` print them).",
        )
    elif not package.unique_id and missing:
        reading.report.add(
            "package.incomplete-identity",
            path,
            f"{', '.join(given)} stands there without {', '.join(missing)}.",
            remedy="A signer has many programs: SignerID, ProductID and SecurityVersion belong together.",
        )


def check_infrastructures(reading: Reading, manifest: Manifest) -> None:
    """Refuse, unless lenient, values that no machine can have: nothing would be let in."""
    if reading.lenient:
        return
    for name, infrastructure in manifest.infrastructures.items():
        path = ("Infrastructures", name)
        if len(infrastructure.cpu_svn) not in (0, _CPU_SVN):
            reading.report.add(
                "infrastructure.bad-value", (*path, "CPUSVN"), f"CPUSVN is {_CPU_SVN} bytes, as in the quote."
            )
        if infrastructure.root_ca and not _is_root(infrastructure.root_ca):
            reading.report.add(
                "infrastructure.bad-value",
                (*path, "RootCA"),
                "RootCA is neither a certificate nor the SHA-256 of one.",
                remedy="Give the certificate in PEM or DER, or the 32 bytes of its SHA-256, in base64.",
            )
        if infrastructure.regions is not None and not infrastructure.regions:
            reading.report.add(
                "infrastructure.bad-value", (*path, "Regions"), "An empty list accepts nothing."
            )


def _is_root(value: bytes) -> bool:
    if len(value) == _FINGERPRINT:
        return True
    try:
        x509.load_der_x509_certificate(value)
    except ValueError:
        return False
    return True
