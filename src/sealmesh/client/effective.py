"""The manifest as it is in force: with the package versions of later updates, every field written out.

A package update changes no byte of the manifest, only the update log tells of it. The result is for reading:
its fingerprint is another one. Form: COMPAT section 13, `manifest get -u`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sealmesh.errors.client import AnswerError

Json: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class _Kind:
    """An object of the manifest: its fields' defaults (None: none), and of what kind the nested ones are."""

    fields: Mapping[str, Json] = field(default_factory=dict)
    nested: Mapping[str, "_Kind"] = field(default_factory=dict)
    lists: Mapping[str, "_Kind"] = field(default_factory=dict)
    named: "_Kind | None" = None


def _named(kind: _Kind) -> _Kind:
    return _Kind(named=kind)


_PARAMETER = _Kind({"Data": "", "Encoding": "string", "NoTemplates": False})
_PARAMETERS = _Kind({"Argv": None}, {"Files": _named(_PARAMETER), "Env": _named(_PARAMETER)})
_PACKAGE = _Kind({
    "Debug": False, "UniqueID": "", "SignerID": "", "ProductID": None, "SecurityVersion": None,
    "AcceptedTCBStatuses": None, "AcceptedAdvisories": None,
})  # fmt: skip
_MARBLE = _Kind(
    {"Package": "", "MaxActivations": 0, "DisableSecretBinding": False, "TLS": None},
    {"Parameters": _PARAMETERS},
)
_SECRET = _Kind({
    "Type": "", "Size": 0, "Shared": False, "UserDefined": False, "ValidFor": 0, "Cert": None,
})  # fmt: skip
_TLS_TAG = _Kind(
    lists={
        "Incoming": _Kind({"Port": "", "Cert": "", "DisableClientAuth": False}),
        "Outgoing": _Kind({"Addr": "", "Port": ""}),
    }
)
_CONFIG = _Kind({
    "SealMode": "", "FeatureGates": None, "UpdateThreshold": 0, "RecoveryThreshold": 0,
    "RotateRootSecret": False,
})  # fmt: skip
_MANIFEST = _Kind(
    nested={
        "Packages": _named(_PACKAGE),
        "Infrastructures": _named(_Kind()),
        "Marbles": _named(_MARBLE),
        "Secrets": _named(_SECRET),
        "Users": _named(_Kind({"Certificate": "", "Roles": None})),
        "Roles": _named(_Kind({"ResourceType": "", "ResourceNames": None, "Actions": None})),
        "RecoveryKeys": _Kind(),
        "TLS": _named(_TLS_TAG),
        "Config": _CONFIG,
    }
)


def effective_manifest(raw: bytes, fingerprint: str, log: Sequence[str]) -> bytes:
    """Return the manifest in force, as JSON for people.

    Args:
        raw: The manifest's bytes.
        fingerprint: Their hex SHA-256, by which the log names a manifest.
        log: The update log's lines, oldest first.

    Raises:
        AnswerError: The manifest or the log is not JSON.
    """
    try:
        document = json.loads(raw, object_pairs_hook=_merged)
        versions = _versions(fingerprint, [json.loads(line) for line in log])
        written = _written_out(document, _MANIFEST)
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise AnswerError("the manifest or its log cannot be read", found=type(error).__name__) from error
    packages = written.get("Packages", {})
    for name, version in versions.items():
        if name in packages:
            packages[name]["SecurityVersion"] = version
    return json.dumps(written, indent=4, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def _versions(fingerprint: str, entries: Sequence[Mapping[str, Json]]) -> Mapping[str, int]:
    """Return the packages' versions set since the manifest was applied."""
    versions: dict[str, int] = {}
    for entry in entries:
        if entry.get("manifestFingerprint") == fingerprint and "user" not in entry:
            versions.clear()
        elif "package" in entry and isinstance(entry.get("new version"), int):
            versions[str(entry["package"])] = entry["new version"]
    return versions


def _written_out(value: Mapping[str, Json], kind: _Kind) -> dict[str, Json]:
    """Return an object with its fields spelled as usual and defaults filled in; what is empty is left out."""
    if kind is _PARAMETER and isinstance(value, str):
        value = {"Data": value}
    if kind.named is not None:
        return {name: _written_out(item or {}, kind.named) for name, item in (value or {}).items()}
    spelled = {name.lower(): name for name in (*kind.fields, *kind.nested, *kind.lists)}
    given = _merged((spelled.get(name.lower(), name), item) for name, item in value.items())
    defaults = {name: item for name, item in kind.fields.items() if item is not None}
    if kind is _MANIFEST:
        given.setdefault("Config", {})
    members = defaults | {name: item for name, item in given.items() if item is not None}
    for name, nested in kind.nested.items():
        if name in members:
            members[name] = _written_out(members[name], nested)
    for name, nested in kind.lists.items():
        if name in members:
            members[name] = [_written_out(item, nested) for item in members[name]]
    return {name: item for name, item in members.items() if item != {}}


def _merged(pairs: Iterable[tuple[str, Json]]) -> dict[str, Json]:
    """Return an object from members that may repeat: maps merge, of other values the last wins."""
    members: dict[str, Json] = {}
    for name, value in pairs:
        before = members.get(name)
        both = isinstance(before, dict) and isinstance(value, dict)
        members[name] = {**before, **value} if both else value  # type: ignore[dict-item]
    return members
