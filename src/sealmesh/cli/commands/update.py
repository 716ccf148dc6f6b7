"""`sealmesh manifest update apply|acknowledge|cancel|get`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealmesh.cli.files import write_file
from sealmesh.cli.handed_in import HandedIn
from sealmesh.cli.manifest_file import FileArgument, manifest_bytes
from sealmesh.cli.options import AddressArgument, OutputOption, with_options
from sealmesh.cli.output import Output
from sealmesh.cli.person import Person
from sealmesh.cli.recovery_data import RecoveryDataOption, hand_out, recovery_document
from sealmesh.cli.session import pinned_session
from sealmesh.cli.trust import Trust

if TYPE_CHECKING:
    from sealmesh.client import Update

app = typer.Typer(help="Change the manifest: propose, acknowledge, cancel.", no_args_is_help=True)


@app.command()
@with_options
def apply(
    manifest: FileArgument,
    address: AddressArgument,
    *,
    recoverydata: RecoveryDataOption = None,
    trust: Trust,
    person: Person,
    approvals: HandedIn,
    output: Output,
) -> None:
    """Raise packages' security versions, or propose a new manifest, as a user.

    A file with nothing but `Packages` and their `SecurityVersion` is applied at once. A whole manifest is
    applied when enough users acknowledged it; the proposer counts as one.

    Example: `sealmesh manifest update apply new.json localhost:4433 --cert ada.crt --key ada.key`
    """
    raw = manifest_bytes(manifest)
    with pinned_session(address, trust, output, user=person.user()) as coordinator:
        approvals.give(coordinator)
        found = coordinator.update(raw)
    _tell(found, recoverydata, output)


@app.command()
@with_options
def acknowledge(
    manifest: FileArgument,
    address: AddressArgument,
    *,
    recoverydata: RecoveryDataOption = None,
    trust: Trust,
    person: Person,
    approvals: HandedIn,
    output: Output,
) -> None:
    """Acknowledge the proposed manifest, which must be exactly this file's; the last one applies it.

    Example: `sealmesh manifest update acknowledge new.json localhost:4433 --cert bob.crt --key bob.key`
    """
    raw = manifest_bytes(manifest)
    with pinned_session(address, trust, output, user=person.user()) as coordinator:
        approvals.give(coordinator)
        found = coordinator.acknowledge(raw)
    _tell(found, recoverydata, output)


@app.command()
@with_options
def cancel(
    address: AddressArgument, *, trust: Trust, person: Person, approvals: HandedIn, output: Output
) -> None:
    """Drop the proposed manifest. Every user who may update manifests may.

    Example: `sealmesh manifest update cancel localhost:4433 --cert ada.crt --key ada.key`
    """
    with pinned_session(address, trust, output, user=person.user()) as coordinator:
        approvals.give(coordinator)
        coordinator.cancel_update()
    output.result("The proposed manifest was dropped.", {"cancelled": True})


@app.command()
@with_options
def get(
    address: AddressArgument,
    *,
    file: OutputOption = None,
    missing: Annotated[
        bool, typer.Option("--missing", help="Name the users who have not acknowledged it yet.")
    ] = False,
    trust: Trust,
    output: Output,
) -> None:
    """Print or write the proposed manifest, byte for byte, or with `--missing` whose word is missing.

    Example: `sealmesh manifest update get localhost:4433 -o proposed.json`
    """
    output.result_alone = True
    with pinned_session(address, trust, output) as coordinator:
        found = coordinator.pending_update()
    document = {
        "manifest": found.raw.decode(errors="replace"),
        "missingUsers": list(found.missing_users),
        "message": found.message,
    }
    content = found.raw
    if missing:
        content = "".join(f"{name}\n" for name in found.missing_users).encode()
    if file is None:
        output.raw(content, document)
        return
    write_file(file, content)
    output.result("", document | {"file": str(file)})


def _tell(update: "Update", recoverydata: Path | None, output: Output) -> None:
    if update.applied:
        lines = ["The update is in force."]
    else:
        who = ", ".join(update.missing_users)
        lines = [f"The update waits for {update.missing_acknowledgments} more acknowledgments, of: {who}"]
    lines += hand_out(update.recovery_secrets, recoverydata)
    output.result(
        "\n".join(lines),
        {
            "applied": update.applied,
            "missingAcknowledgments": update.missing_acknowledgments,
            "missingUsers": list(update.missing_users),
        }
        | (recovery_document(update.recovery_secrets) if update.recovery_secrets else {}),
    )
