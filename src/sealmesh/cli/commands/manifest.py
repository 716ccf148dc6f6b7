"""`sealmesh manifest set|get|check|signature|verify|log`."""

import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from sealmesh.cli.files import read_file, write_file
from sealmesh.cli.options import AddressArgument, JsonOption, OutputOption, with_trust
from sealmesh.cli.output import Output
from sealmesh.cli.session import Trust, session
from sealmesh.errors.cli import CliError, UsageError

app = typer.Typer(help="Set, read and check the manifest.", no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The manifest, JSON or YAML.")]


def manifest_bytes(path: Path) -> bytes:
    """Return what is sent and hashed: JSON as it is, YAML as compact JSON (COMPAT section 13)."""
    from sealmesh.manifest import as_json

    return as_json(read_file(path))


@app.command("set")
@with_trust
def set_manifest(
    manifest: FileArgument,
    address: AddressArgument,
    *,
    recoverydata: Annotated[
        Path | None,
        typer.Option(
            "-r", "--recoverydata", metavar="FILE", help="Write the recovery data there, mode 0600."
        ),
    ] = None,
    trust: Trust,
    output: Output,
) -> None:
    """Verify the Coordinator, then set its first manifest.

    The verified chain is kept for later commands (`--coordinator-cert`). With recovery keys in the
    manifest the answer holds one encrypted share for each: keep them, they are not shown again.

    Example: `sealmesh manifest set manifest.yaml localhost:4433 --policy policy.json -r recovery.json`
    """
    with session(address, trust, output) as coordinator:
        raw = manifest_bytes(manifest)
        secrets = coordinator.api.set_manifest(raw)
        coordinator.keep_chain()
    document: dict[str, Any] = {"RecoverySecrets": secrets}
    lines = [f"The manifest is set. Its fingerprint is {_fingerprint(raw)}"]
    if secrets and recoverydata is not None:
        write_file(recoverydata, json.dumps(document).encode() + b"\n", private=True)
        lines.append(f"Recovery data is in {recoverydata}: give each owner the share under his key's name.")
    elif secrets:
        lines.append(json.dumps(document))
    output.result("\n".join(lines), document | {"fingerprint": _fingerprint(raw)})


@app.command()
@with_trust
def get(
    address: AddressArgument,
    *,
    file: OutputOption = None,
    signature: Annotated[
        bool, typer.Option("-s", "--signature", help="Wrap it together with its fingerprint.")
    ] = False,
    keep_cert: Annotated[
        bool, typer.Option("--keep-cert", help="Keep the chain for later commands.")
    ] = False,
    trust: Trust,
    output: Output,
) -> None:
    """Print or write the manifest in force, byte for byte as it was set.

    Example: `sealmesh manifest get localhost:4433 --policy policy.json -o manifest.json`
    """
    with session(address, trust, output) as coordinator:
        found = coordinator.api.manifest()
        if keep_cert:
            coordinator.keep_chain()
    content = found.raw
    if signature:
        head = json.dumps({"ManifestSignature": found.fingerprint})[:-1].encode()
        content = head + b', "Manifest": ' + found.raw + b"}"
    document = {"fingerprint": found.fingerprint, "manifest": found.raw.decode(errors="replace")}
    if file is not None:
        write_file(file, content)
        output.result(f"Wrote the manifest to {file}", document | {"file": str(file)})
    else:
        output.raw(content + b"\n", document)


@app.command()
def check(
    manifest: FileArgument,
    *,
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Ignore unknown keys, as MarbleRun does.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check a manifest without a Coordinator: every rule, and a trial run of its templates.

    All violations are named at once, each with its place, its reason and what to do; what is allowed
    but seldom meant is a warning.

    Example: `sealmesh manifest check manifest.yaml`
    """
    from sealmesh.manifest import lint, parse_manifest
    from sealmesh.provisioning import try_templates

    output = Output(as_json=as_json)
    raw = manifest_bytes(manifest)
    found = parse_manifest(raw, lenient=lenient)
    try_templates(found)
    advice = [str(item) for item in lint(found)]
    for item in advice:
        output.warn(item)
    output.result(
        f"{manifest} is a manifest: {len(found.marbles)} Marble types, {len(found.packages)} packages.\n"
        f"Its fingerprint is {_fingerprint(raw)}",
        {
            "valid": True,
            "fingerprint": _fingerprint(raw),
            "marbles": sorted(found.marbles),
            "warnings": advice,
        },
    )


@app.command("signature")
@with_trust
def fingerprint_of_file(manifest: FileArgument, *, trust: Trust, output: Output) -> None:
    """Print the fingerprint of a manifest file: the hex SHA-256 of what `manifest set` would send.

    Nothing is connected to; the options about trust are accepted as MarbleRun's client accepts them.

    Example: `sealmesh manifest signature manifest.json`
    """
    found = _fingerprint(manifest_bytes(manifest))
    output.result(found, {"fingerprint": found})


@app.command()
@with_trust
def verify(
    manifest: Annotated[
        str, typer.Argument(metavar="FILE|FINGERPRINT", help="A manifest, or its hex SHA-256.")
    ],
    address: AddressArgument,
    *,
    trust: Trust,
    output: Output,
) -> None:
    """Check that the Coordinator enforces exactly this manifest; exit code 1 if not.

    Example: `sealmesh manifest verify manifest.json localhost:4433 --policy policy.json`
    """
    wanted = _wanted_fingerprint(manifest)
    with session(address, trust, output) as coordinator:
        found = coordinator.api.manifest()
        if _fingerprint(found.raw) != wanted or found.fingerprint != wanted:
            raise CliError(
                "the Coordinator enforces another manifest",
                code="manifest-differs",
                found=_fingerprint(found.raw),
                wanted=wanted,
                remedy="Read it with `sealmesh manifest get`.",
            )
        coordinator.keep_chain()
    output.result(f"The Coordinator enforces {wanted}", {"fingerprint": wanted, "verified": True})


@app.command()
@with_trust
def log(address: AddressArgument, *, file: OutputOption = None, trust: Trust, output: Output) -> None:
    """Print or write the log of the manifest's changes, one JSON object a line.

    Example: `sealmesh manifest log localhost:4433 --policy policy.json`
    """
    with session(address, trust, output) as coordinator:
        lines = coordinator.api.update_log()
    text = "\n".join(lines)
    if file is not None:
        write_file(file, f"{text}\n".encode())
        output.result(f"Wrote the log to {file}", {"log": list(lines), "file": str(file)})
    else:
        output.result(text, {"log": list(lines)})


def _wanted_fingerprint(text: str) -> str:
    path = Path(text)
    if path.is_file():
        return _fingerprint(manifest_bytes(path))
    if not re.fullmatch(r"[0-9A-Fa-f]{64}", text):
        raise UsageError("neither a file nor a fingerprint", found=text, wanted="a file, or 64 hex digits")
    return text.lower()


def _fingerprint(raw: bytes) -> str:
    from sealmesh.manifest import fingerprint

    return fingerprint(raw)
