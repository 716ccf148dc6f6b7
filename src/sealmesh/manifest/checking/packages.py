"""Packages say which software; infrastructures say on what hardware."""

from sealmesh.manifest.model import Manifest, Package
from sealmesh.manifest.reading.view import Reading


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
    """Refuse, unless lenient, properties that nothing enforces: a rule that is not kept misleads."""
    if reading.lenient:
        return
    for name, infrastructure in manifest.infrastructures.items():
        given = {
            "CPUSVN": bool(infrastructure.cpu_svn),
            "RootCA": bool(infrastructure.root_ca),
            "QESVN": infrastructure.qe_svn is not None,
            "PCESVN": infrastructure.pce_svn is not None,
        }
        for field in (field for field, there in given.items() if there):
            reading.report.add(
                "infrastructure.not-enforced",
                ("Infrastructures", name, field),
                f"{field} is not enforced by this version.",
                remedy="Leave it out, so that nobody relies on it.",
            )
