"""Package updates: recognize and read them (COMPAT section 10)."""

from types import MappingProxyType

from sealmesh.manifest.json_values import JsonValue, Object
from sealmesh.manifest.model import PackageUpdate
from sealmesh.manifest.parsing import read_json
from sealmesh.manifest.reading.packages import read_package
from sealmesh.manifest.reading.view import Reading, View
from sealmesh.manifest.report import Path, Report
from sealmesh.manifest.shapes import MANIFEST

_OTHERS = (
    "Marbles",
    "Users",
    "Roles",
    "Secrets",
    "TLS",
    "RecoveryKeys",
    "Infrastructures",
)

_OURS = ("Access", "Governance", "Simulation")


def is_package_update(raw: bytes) -> bool:
    """Tell whether a document is a package-only update; anything else is a full manifest.

    It has no Marbles, users, roles, secrets, TLS tags, recovery keys, infrastructures and nothing that
    only sealmesh knows; a `Config` is ignored, as MarbleRun does.

    Raises:
        ManifestError: It is not well-formed JSON.
    """
    root, _ = read_json(raw, lenient=True)
    if not isinstance(root, Object):
        return False
    view = _root_view(root)
    if any(view.has(name) for name in _OURS):
        return False
    return not any(view.has(name) and _filled(view, name) for name in _OTHERS)


def _root_view(root: JsonValue) -> View:
    return View(Reading(Report("", root), lenient=True), root, (), MANIFEST)


def _filled(view: View, name: str) -> bool:
    """An empty object counts as absent; anything that is no object is the full parser's to refuse."""
    return any(not isinstance(value, Object) or value.members for value in view.values(name))


def parse_package_update(raw: bytes, *, lenient: bool = False) -> PackageUpdate:
    """Parse a package-only update.

    Whether the packages exist, and that no version goes down, is not looked at.

    Raises:
        ManifestError: It is refused; `violations` has every reason.
    """
    root, text = read_json(raw, lenient=lenient)
    reading = Reading(Report(text, root), lenient=lenient)
    view = View(reading, root, (), MANIFEST)
    versions = {}
    for name, path, value in view.named("Packages"):
        version = _read_version(reading, value, path)
        if version is not None:
            versions[name] = version
    for name in (*_OTHERS, *_OURS):
        if view.has(name) and (name not in _OTHERS or _filled(view, name)):
            reading.report.add(
                "update.not-package-only",
                (name,),
                f"A package update has no {name}.",
                remedy="Leave it out, or send a full manifest.",
            )
    if not versions and not reading.report.faults:
        reading.report.add(
            "update.no-packages",
            (),
            "The update names no package.",
            remedy='Write {"Packages": {NAME: {"SecurityVersion": N}}}.',
        )
    reading.report.raise_if_any()
    return PackageUpdate(security_versions=MappingProxyType(versions))


def _read_version(reading: Reading, value: JsonValue, path: Path) -> int | None:
    before = reading.report.faults
    package = read_package(reading, value, path)
    given = {
        "Debug": package.debug,
        "UniqueID": bool(package.unique_id),
        "SignerID": bool(package.signer_id),
        "ProductID": package.product_id is not None,
        "AcceptedTCBStatuses": package.accepted_tcb_statuses is not None,
        "AcceptedAdvisories": package.accepted_advisories is not None,
        "Evidence": package.evidence is not None,
    }
    for field in (field for field, there in given.items() if there):
        reading.report.add(
            "update.more-than-version",
            (*path, field),
            f"A package update sets SecurityVersion only, not {field}.",
            remedy="Leave it out, or send a full manifest.",
        )
    if package.security_version is None and reading.report.faults == before:
        reading.report.add("update.no-version", path, "The package has no SecurityVersion.")
    return package.security_version
