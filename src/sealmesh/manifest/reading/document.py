"""Read the whole document."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from sealmesh.manifest.json_values import JsonValue, Object
from sealmesh.manifest.model import AccessRule, FeatureGate, Manifest
from sealmesh.manifest.reading.access import read_access_rule
from sealmesh.manifest.reading.config import read_config
from sealmesh.manifest.reading.governance import read_governance
from sealmesh.manifest.reading.marbles import read_marble
from sealmesh.manifest.reading.packages import read_infrastructure, read_package
from sealmesh.manifest.reading.people import read_recovery_key, read_role, read_user
from sealmesh.manifest.reading.secrets import read_secret
from sealmesh.manifest.reading.tls import read_tls_tag
from sealmesh.manifest.reading.view import Reading, View
from sealmesh.manifest.report import Path, Report
from sealmesh.manifest.shapes import CONFIG, MANIFEST

_T = TypeVar("_T")


def read_document(reading: Reading, root: JsonValue) -> Manifest:
    """Read the manifest's structure; everything wrong goes into the report.

    Raises:
        ManifestError: It is no object, so that there is nothing to read.
    """
    if not isinstance(root, Object):
        reading.report.add(
            "not-an-object", (), "A manifest is a JSON object.", remedy="It begins with { and ends with }."
        )
        reading.report.raise_if_any()
    reading.gates = _gates_named(root)
    view = View(reading, root, (), MANIFEST)
    return Manifest(
        config=read_config(reading, view.view("Config", CONFIG)),
        packages=_read(reading, view, "Packages", read_package),
        infrastructures=_read(reading, view, "Infrastructures", read_infrastructure),
        marbles=_read(reading, view, "Marbles", read_marble),
        secrets=_read(reading, view, "Secrets", read_secret),
        users=_read(reading, view, "Users", read_user),
        roles=_read(reading, view, "Roles", read_role),
        recovery_keys=_read(reading, view, "RecoveryKeys", read_recovery_key),
        tls=_read(reading, view, "TLS", read_tls_tag),
        access=_access(reading, view),
        governance=read_governance(reading, view),
        simulation=view.flag("Simulation"),
    )


def _gates_named(root: JsonValue) -> frozenset[FeatureGate]:
    """Look up the gates before everything else; what is wrong there is reported when `Config` is read."""
    ahead = Reading(Report("", root), lenient=True)
    return read_config(ahead, View(ahead, root, (), MANIFEST).view("Config", CONFIG)).feature_gates


def _read(
    reading: Reading, view: View, name: str, read: Callable[[Reading, JsonValue, Path], _T | None]
) -> Mapping[str, _T]:
    found = {}
    before = reading.report.faults
    entries = list(view.named(name))
    if reading.report.faults > before:
        reading.mark_faulty(name)
    for key, path, value in entries:
        before = reading.report.faults
        item = read(reading, value, path)
        if reading.report.faults > before:
            reading.mark_faulty(name, key)
        if item is not None:
            found[key] = item
    return MappingProxyType(found)


def _access(reading: Reading, view: View) -> tuple[AccessRule, ...] | None:
    items = view.items("Access")
    return None if items is None else tuple(read_access_rule(reading, value, path) for path, value in items)
