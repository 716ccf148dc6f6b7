"""`sealmesh secret set|get`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealmesh.cli.files import read_file, write_file
from sealmesh.cli.handed_in import HandedIn
from sealmesh.cli.options import AddressArgument, OutputOption, with_options
from sealmesh.cli.output import Output
from sealmesh.cli.person import Person
from sealmesh.cli.session import pinned_session
from sealmesh.cli.trust import Trust
from sealmesh.errors.cli import UsageError

if TYPE_CHECKING:
    from sealmesh.client import SecretValue

app = typer.Typer(help="Read and write secrets, as a user of the manifest.", no_args_is_help=True)


@app.command("set")
@with_options
def set_secrets(
    secrets: Annotated[Path, typer.Argument(metavar="FILE", help="The values, JSON; or PEM.")],
    address: AddressArgument,
    *,
    from_pem: Annotated[
        str | None,
        typer.Option("--from-pem", metavar="NAME", help="FILE is PEM: the certificate and key of NAME."),
    ] = None,
    trust: Trust,
    person: Person,
    approvals: HandedIn,
    output: Output,
) -> None:
    """Set user-defined secrets, all or none.

    The file has base64 values by the secrets' names: `Key` for symmetric keys and plain values, `Cert` and
    `Private` for certificates:

        {"pin": {"Key": "cGluLi4u"}, "shopCert": {"Cert": "MIIB...", "Private": "MIIE..."}}

    Examples:
        sealmesh secret set secrets.json localhost:4433 --cert ada.crt --key ada.key

        sealmesh secret set shop.pem localhost:4433 --from-pem shopCert --cert ada.crt --key ada.key
    """
    from sealmesh.client import parse_secret_pem, parse_secret_uploads

    raw = read_file(secrets)
    uploads = parse_secret_uploads(raw) if from_pem is None else {from_pem: parse_secret_pem(raw)}
    with pinned_session(address, trust, output, user=person.user()) as coordinator:
        approvals.give(coordinator)
        coordinator.write_secrets(uploads)
    names = sorted(uploads)
    output.result(f"Set: {', '.join(names)}", {"set": names})


@app.command("get")
@with_options
def get_secrets(
    words: Annotated[
        list[str], typer.Argument(metavar="NAME... ADDRESS", help="Secrets, then the Coordinator, HOST:PORT.")
    ],
    *,
    file: OutputOption = None,
    trust: Trust,
    person: Person,
    approvals: HandedIn,
    output: Output,
) -> None:
    """Print secrets as JSON, or write them to a file that only you can read.

    Example: `sealmesh secret get pin recipe localhost:4433 --cert ada.crt --key ada.key -o secrets.json`
    """
    *names, address = words
    if not names:
        raise UsageError("no secret is named", found=address, wanted="NAME... ADDRESS")
    output.result_alone = file is None
    with pinned_session(address, trust, output, user=person.user()) as coordinator:
        approvals.give(coordinator)
        found = coordinator.secrets(*names)
    document = {name: _document(secret) for name, secret in found.items()}
    text = json.dumps(document, indent=2)
    if file is None:
        output.result(text, document)
        return
    write_file(file, text.encode() + b"\n", private=True)
    output.result(f"Wrote {', '.join(names)} to {file}", {"file": str(file), "secrets": sorted(document)})


def _document(secret: "SecretValue") -> dict[str, object]:
    from sealmesh.client.exchange import b64

    def packed(value: bytes | None) -> str | None:
        return None if value is None else b64(value)

    return {
        "Type": secret.type,
        "Size": secret.size,
        "Shared": secret.shared,
        "UserDefined": secret.user_defined,
        "Cert": packed(secret.certificate),
        "ValidFor": secret.valid_for,
        "Private": packed(secret.private),
        "Public": packed(secret.public),
    }
