"""`sealmesh manifest set|get|check|schema|signature|verify|log`; updates are in `commands.update`."""

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from sealmesh.cli.commands import update
from sealmesh.cli.files import read_file, write_file
from sealmesh.cli.manifest_file import FileArgument, manifest_bytes
from sealmesh.cli.options import AddressArgument, JsonOption, OutputOption, with_options
from sealmesh.cli.output import Output
from sealmesh.cli.recovery_data import RecoveryDataOption, hand_out, recovery_document
from sealmesh.cli.session import pinned_session, session
from sealmesh.cli.trust import Trust
from sealmesh.errors.cli import CliError, UsageError

app = typer.Typer(help="Set, read and check the manifest.", no_args_is_help=True)

app.add_typer(update.app, name="update")


@app.command("set")
@with_options
def set_manifest(
    manifest: FileArgument,
    address: AddressArgument,
    *,
    recoverydata: RecoveryDataOption = None,
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
    lines = [f"The manifest is set. Its fingerprint is {_fingerprint(raw)}"]
    lines += hand_out(secrets, recoverydata)
    output.result("\n".join(lines), recovery_document(secrets) | {"fingerprint": _fingerprint(raw)})


@app.command()
@with_options
def get(
    address: AddressArgument,
    *,
    file: OutputOption = None,
    signature: Annotated[
        bool, typer.Option("-s", "--signature", help="Wrap it together with its fingerprint.")
    ] = False,
    display_update: Annotated[
        bool,
        typer.Option("-u", "--display-update", help="With the package versions of updates; for reading."),
    ] = False,
    keep_cert: Annotated[
        bool, typer.Option("--keep-cert", help="Keep the chain for later commands.")
    ] = False,
    trust: Trust,
    output: Output,
) -> None:
    """Print or write the manifest in force, byte for byte as it was set.

    With `-u` every field is written out and package updates are worked in: that is for reading, and has
    another fingerprint.

    Example: `sealmesh manifest get localhost:4433 --policy policy.json -o manifest.json`
    """
    from sealmesh.client import effective_manifest

    output.result_alone = file is None
    with session(address, trust, output) as coordinator:
        found = coordinator.api.manifest()
        log = coordinator.api.update_log() if display_update else ()
        if keep_cert:
            coordinator.keep_chain()
    shown = effective_manifest(found.raw, found.fingerprint, log) if display_update else found.raw
    content = shown
    if signature:
        head = json.dumps({"ManifestSignature": found.fingerprint})[:-1].encode()
        content = head + b', "Manifest": ' + shown + b"}"
    document = {"fingerprint": found.fingerprint, "manifest": shown.decode(errors="replace")}
    if file is not None:
        write_file(file, content)
        output.result(f"Wrote the manifest to {file}", document | {"file": str(file)})
    else:
        output.raw(content, document)


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

    All violations are named at once, each with its line and column in the file, its reason and what to do;
    what is allowed but seldom meant is a warning.

    Example: `sealmesh manifest check manifest.yaml`
    """
    from sealmesh.manifest import lint
    from sealmesh.provisioning import check_source

    output = Output(as_json=as_json)
    checked = check_source(read_file(manifest), lenient=lenient)
    found, raw = checked.manifest, checked.raw
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


@app.command()
def schema(*, file: OutputOption = None, as_json: JsonOption = False) -> None:
    """Print the JSON Schema of a manifest (2020-12), for editors; `manifest check` knows more rules.

    Example: `sealmesh manifest schema -o manifest.schema.json`
    """
    from sealmesh.manifest import schema_text

    del as_json  # it is JSON
    if file is None:
        typer.echo(schema_text(), nl=False)
    else:
        write_file(file, schema_text().encode())


@app.command("signature")
@with_options
def fingerprint_of_file(manifest: FileArgument, *, trust: Trust, output: Output) -> None:
    """Print the fingerprint of a manifest file: the hex SHA-256 of what `manifest set` would send.

    Nothing is connected to; the options about trust are accepted as MarbleRun's client accepts them.

    Example: `sealmesh manifest signature manifest.json`
    """
    found = _fingerprint(manifest_bytes(manifest))
    output.result(found, {"fingerprint": found})


@app.command()
@with_options
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
@with_options
def log(address: AddressArgument, *, file: OutputOption = None, trust: Trust, output: Output) -> None:
    """Print or write the log of the manifest's changes, one JSON object a line.

    Example: `sealmesh manifest log localhost:4433 --policy policy.json`
    """
    output.result_alone = file is None
    with pinned_session(address, trust, output) as coordinator:
        lines = coordinator.update_log()
    text = "\n".join(lines)
    if file is not None:
        write_file(file, text.encode())
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
