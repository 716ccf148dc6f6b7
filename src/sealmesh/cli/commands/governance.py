"""`sealmesh governance show`."""

import json
from typing import TYPE_CHECKING, Any

import typer

from sealmesh.cli.files import write_file
from sealmesh.cli.options import AddressArgument, OutputOption, with_options
from sealmesh.cli.output import Output
from sealmesh.cli.session import pinned_session
from sealmesh.cli.trust import Trust

if TYPE_CHECKING:
    from sealmesh.client.governance import GovernanceInForce

app = typer.Typer(help="What the manifest reserves to several.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """What the manifest reserves to several."""


@app.command()
@with_options
def show(address: AddressArgument, *, file: OutputOption = None, trust: Trust, output: Output) -> None:
    """Show which acts need approvals, and what approvals have to name.

    With `-o` the file that `approve make --mesh` takes, on a machine without a network. Before a recovery it
    is about the state that waits, so the Coordinator has to be verified anew with --policy.

    Example: `sealmesh governance show localhost:4433 --policy policy.json -o mesh.json`
    """
    with pinned_session(address, trust, output) as connection:
        found = connection.governance()
    document = _document(found)
    if file is not None:
        write_file(file, json.dumps(document, indent=2).encode() + b"\n")
    output.result(_text(found), document)


def _text(found: "GovernanceInForce") -> str:
    under = (
        "a state that waits for recovery"
        if found.manifest is None
        else f"manifest {found.manifest}, epoch {found.epoch}"
    )
    lines = [f"{found.trust_domain}, {under}"]
    lines += [
        f"{act}: {rule.threshold} of {', '.join(rule.approvers)}" for act, rule in sorted(found.rules.items())
    ]
    return "\n".join(lines)


def _document(found: "GovernanceInForce") -> dict[str, Any]:
    return {
        "trustDomain": found.trust_domain,
        "root": found.root,
        "coordinator": found.coordinator,
        "manifest": found.manifest,
        "epoch": found.epoch,
        "rules": {
            act: {"threshold": rule.threshold, "approvers": list(rule.approvers)}
            for act, rule in found.rules.items()
        },
        "keys": {name: list(keys) for name, keys in found.keys.items()},
    }
