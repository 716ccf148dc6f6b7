"""`sealmesh results get|verify`."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealmesh.cli.ear_order import nonce_bytes
from sealmesh.cli.files import read_file, write_file
from sealmesh.cli.moment import moment_or_now
from sealmesh.cli.options import AddressArgument, OutputOption, with_options
from sealmesh.cli.output import Output, leave
from sealmesh.cli.person import Person
from sealmesh.cli.result_text import result_document, result_text
from sealmesh.cli.session import pinned_session
from sealmesh.cli.trust import Trust
from sealmesh.errors.cli import UsageError
from sealmesh.errors.results import ResultRefused

if TYPE_CHECKING:
    from sealmesh.attestation.results import Tier
    from sealmesh.client import VerifiedResult

app = typer.Typer(
    help="Attestation Results: a Coordinator's signed word about the Evidence of a Marble.",
    no_args_is_help=True,
)

NonceOption = Annotated[
    str | None, typer.Option("--ear-nonce", metavar="HEX", help="8 to 64 bytes that must be in it.")
]
_REFUSED = 1


@app.command("get")
@with_options
def get_result(
    address: AddressArgument,
    *,
    marble: Annotated[
        str, typer.Option("--marble", metavar="TYPE", help="As a user: the Marble's type.")
    ] = "",
    uuid: Annotated[str, typer.Option("--uuid", metavar="UUID", help="As a user: the Marble's UUID.")] = "",
    form: Annotated[str, typer.Option("--form", metavar="jwt|cwt", help="`jwt` where not given.")] = "jwt",
    ear_nonce: NonceOption = None,
    file: OutputOption = None,
    trust: Trust,
    person: Person,
    output: Output,
) -> None:
    """Fetch the result of a Marble's last admission, as a user, or of its own as that Marble.

    Examples:
        sealmesh results get localhost:4433 --marble web --uuid UUID --cert ada.crt --key ada.key -o web.jwt

        sealmesh results get localhost:4433 --cert marble.crt --key marble.key -o mine.jwt
    """
    from sealmesh.attestation.results import Form

    if form not in tuple(Form):
        raise UsageError("this is no form of a result", found=form, wanted=" or ".join(Form))
    if bool(marble) is not bool(uuid):
        raise UsageError("--marble and --uuid go together", wanted="both, or none")
    nonce = nonce_bytes(ear_nonce)
    output.result_alone = file is None
    with pinned_session(address, trust, output, user=person.user()) as coordinator:
        token = coordinator.result(Form(form), marble_type=marble, uuid=uuid, nonce=nonce)
    if file is None:
        output.raw(token, {"form": form, "token": token.decode() if form == Form.JWT else token.hex()})
        return
    write_file(file, token)
    output.result(f"Written to {file}; not verified.", {"form": form, "file": str(file)})


@app.command("verify")
@with_options
def verify_result(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The result, JWT or CWT.")],
    *,
    root: Annotated[
        Path | None,
        typer.Option("--root", metavar="FILE", help="The Coordinator's root, or its chain, PEM."),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option("--key", metavar="FILE", help="In place of a root: the verifier's public key, PEM."),
    ] = None,
    ear_nonce: NonceOption = None,
    accept: Annotated[
        str, typer.Option("--accept", metavar="STATUS", help="The worst status that is fine.")
    ] = "affirming",
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="2026-01-31T12:00:00Z; default now.")
    ] = None,
    output: Output,
) -> None:
    """Verify a result offline and say in words what it says. Exit code 1 where its status is not fine.

    The root is the one that `sealmesh verify` or `sealmesh certificate root` wrote. The statuses are
    `affirming`, `none`, `warning` and `contraindicated`; a mesh with simulated TEEs gives the last.

    Example: `sealmesh results verify web.jwt --root root.pem`
    """
    worst = _tier(accept)
    found = _verified(file, root, key, nonce_bytes(ear_nonce), moment_or_now(at))
    from sealmesh.attestation.results import trusts_more

    fine = not trusts_more(worst, found.ear.status)
    output.result(result_text(found), {"accepted": fine, **result_document(found)})
    if fine:
        return
    if output.as_json:
        leave(_REFUSED)
    raise ResultRefused(
        "the status of this result is not accepted",
        found=found.ear.status.word,
        wanted=f"{worst.word} or better",
    )


def _verified(
    file: Path, root: Path | None, key: Path | None, nonce: bytes | None, now: datetime
) -> "VerifiedResult":
    from sealmesh.client import verify_result, verify_result_of_key
    from sealmesh.client.result import public_key_in, root_in

    if (root is None) is (key is None):
        raise UsageError("say whose result it must be", wanted="--root FILE or --key FILE")
    token = read_file(file)
    if root is not None:
        return verify_result(token, root=root_in(read_file(root)), now=now, nonce=nonce)
    assert key is not None
    return verify_result_of_key(token, key=public_key_in(read_file(key)), now=now, nonce=nonce)


def _tier(word: str) -> "Tier":
    from sealmesh.attestation.results import Tier

    for tier in Tier:
        if tier.word == word:
            return tier
    raise UsageError("this is no status", found=word, wanted=" or ".join(tier.word for tier in Tier))
