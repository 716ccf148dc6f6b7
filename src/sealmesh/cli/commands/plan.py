"""`sealmesh manifest plan`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sealmesh.cli.manifest_file import FileArgument, manifest_bytes
from sealmesh.cli.options import with_options
from sealmesh.cli.output import Output
from sealmesh.cli.session import session
from sealmesh.cli.trust import Trust
from sealmesh.errors.cli import UsageError

if TYPE_CHECKING:
    from sealmesh.client import CoordinatorApi
    from sealmesh.manifest import Manifest


@with_options
def plan(
    manifest: FileArgument,
    *,
    against: Annotated[
        Path | None, typer.Option("--against", metavar="FILE", help="The manifest that it would replace.")
    ] = None,
    coordinator: Annotated[
        str | None,
        typer.Option("--coordinator", metavar="ADDRESS", help="Compare with what is in force there."),
    ] = None,
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Ignore unknown keys, as MarbleRun does.")
    ] = False,
    trust: Trust,
    output: Output,
) -> None:
    """Say what an update would do before anybody agrees to it; nothing is changed.

    Edges that open and close, Marbles that could no longer start, what becomes of secrets and certificates,
    and who has to agree. Exit code 1 if the Coordinator would refuse it.

    Examples:
        sealmesh manifest plan new.json --against manifest.json

        sealmesh manifest plan new.json --coordinator localhost:4433 --policy policy.json
    """
    from sealmesh.cli.plan_text import plan_text
    from sealmesh.coordinator.planning import plan_document, plan_update
    from sealmesh.manifest import parse_manifest

    raw = manifest_bytes(manifest)
    if (against is None) == (coordinator is None):
        raise UsageError("nothing to compare with", wanted="either --against FILE or --coordinator ADDRESS")
    waits: dict[str, Any] = {}
    if against is not None:
        before = parse_manifest(manifest_bytes(against), lenient=True)
    else:
        with session(coordinator or "", trust, output) as connection:
            before = _in_force(connection.api)
            waits = _waiting(connection.api, raw)
    found = plan_update(before, raw, lenient=lenient)
    lines = [plan_text(found)]
    if waits:
        lines.append(f"\nIt was proposed and waits for: {', '.join(waits['missingUsers'])}")
    output.result("\n".join(lines), plan_document(found) | ({"pending": waits} if waits else {}))
    if found.refused:
        raise typer.Exit(1)


def _in_force(api: "CoordinatorApi") -> "Manifest":
    """Return the manifest in force, with the versions of package updates."""
    from dataclasses import replace
    from types import MappingProxyType

    from sealmesh.client import effective_manifest
    from sealmesh.manifest import parse_manifest

    found = api.manifest()
    written = json.loads(effective_manifest(found.raw, found.fingerprint, api.update_log()))
    manifest = parse_manifest(found.raw, lenient=True)
    packages = {
        name: replace(package, security_version=written["Packages"][name].get("SecurityVersion"))
        for name, package in manifest.packages.items()
    }
    return replace(manifest, packages=MappingProxyType(packages))


def _waiting(api: "CoordinatorApi", raw: bytes) -> dict[str, Any]:
    """Return who is missing, where exactly this was proposed already."""
    from sealmesh.errors.client import NothingThere

    try:
        pending = api.pending_update()
    except NothingThere:
        return {}
    return (
        {"missingUsers": list(pending.missing_users), "message": pending.message}
        if pending.raw == raw
        else {}
    )
