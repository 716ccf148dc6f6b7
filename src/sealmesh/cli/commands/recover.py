"""`sealmesh recover` and `sealmesh recover-with-signature`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sealmesh.cli.files import read_file, write_file
from sealmesh.cli.options import AddressArgument, OutputOption, with_options
from sealmesh.cli.output import Output
from sealmesh.cli.person import ShareKeyChoice
from sealmesh.cli.session import session
from sealmesh.cli.trust import Trust
from sealmesh.errors.cli import UsageError

if TYPE_CHECKING:
    from sealmesh.client import Recovery

SecretArgument = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="The recovery secret as it was handed out, or plain; or all recovery data."
    ),
]


class _OwnOrSub(typer.core.TyperGroup):
    """`recover-with-signature FILE ADDRESS` beside its subcommands: what is none of them is a file."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Take an unknown first word as the file to give to the Coordinator."""
        if args and args[0] not in self.commands:
            args = ["give", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=_OwnOrSub,
    help="Recover in steps that need no network for the owner's key; FILE ADDRESS gives a secret.",
    no_args_is_help=True,
    context_settings={"ignore_unknown_options": True},
)


@with_options
def recover(
    secret: SecretArgument,
    address: AddressArgument,
    *,
    drill: Annotated[
        bool, typer.Option("--drill", help="Only ask whether the secret would be taken; change nothing.")
    ] = False,
    others: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="FILE=KEY.pem", help="With --drill: another owner's secret and key."),
    ] = None,
    trust: Trust,
    share_key: ShareKeyChoice,
    output: Output,
) -> None:
    """Give a Coordinator that lost its key one recovery secret, signed by its owner.

    The secret may be as it was handed out (`RecoverySecrets` of `manifest set`, decoded from base64), or the
    file that `manifest set --recoverydata` wrote: then the owner's key opens its own here. It travels to the
    verified Coordinator only.

    Example: `sealmesh recover recovery.json localhost:4433 --key owner.pem --policy policy.json`

    `--drill` proves on a running Coordinator that secrets open its state, and changes nothing.

    Example: `sealmesh recover share.bin localhost:4433 --key owner.pem --drill --with other.bin=other.pem`
    """
    from sealmesh.client import open_share

    if drill:
        from sealmesh.cli.drill import run_drill

        with session(address, trust, output) as coordinator:
            run_drill(coordinator.api, secret, share_key.load(), others or [], output)
        return
    if others:
        raise UsageError("further secrets are only for a drill", wanted="--drill")
    raw = read_file(secret)
    with session(address, trust, output) as coordinator:
        key = share_key.load()
        plain = open_share(raw, key)
        found = coordinator.api.recover(plain, b"" if key is None else key.sign(plain))
    _tell(found, output)


@app.command("give", hidden=True)
@with_options
def give(
    secret: Annotated[
        Path, typer.Argument(metavar="FILE", help="The secret, from `encrypt-secret` or plain.")
    ],
    address: AddressArgument,
    *,
    signature: Annotated[
        Path | None, typer.Option("-s", "--signature", metavar="FILE", help="From `sign-secret`.")
    ] = None,
    trust: Trust,
    output: Output,
) -> None:
    """Give a Coordinator a recovery secret that was encrypted and signed elsewhere.

    Example: `sealmesh recover-with-signature share.enc localhost:4433 -s share.sig --policy policy.json`
    """
    raw = read_file(secret)
    signed = b"" if signature is None else read_file(signature)
    with session(address, trust, output) as coordinator:
        found = coordinator.api.recover(raw, signed)
    _tell(found, output)


@app.command("public-key")
@with_options
def public_key(address: AddressArgument, *, file: OutputOption = None, trust: Trust, output: Output) -> None:
    """Fetch the key (PEM) to which secrets for this recovery are encrypted.

    Example: `sealmesh recover-with-signature public-key localhost:4433 -o coordinator.pem`
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

    output.result_alone = file is None
    with session(address, trust, output) as coordinator:
        key = load_der_public_key(coordinator.api.recovery_key())
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _write(pem, file, output, f"Wrote the recovery key to {file}")


@app.command("encrypt-secret")
@with_options
def encrypt_secret(
    secret: SecretArgument,
    *,
    coordinator_pub_key: Annotated[
        Path | None, typer.Option("--coordinator-pub-key", metavar="FILE", help="From `public-key`.")
    ] = None,
    file: OutputOption = None,
    trust: Trust,
    share_key: ShareKeyChoice,
    output: Output,
) -> None:
    """Encrypt a recovery secret to one Coordinator; without a network.

    Example: `sealmesh recover-with-signature encrypt-secret share.bin --coordinator-pub-key coordinator.pem
    --key owner.pem -o share.enc`
    """
    from sealmesh.client import encrypt_share, open_share

    del trust  # accepted as MarbleRun's client accepts it
    if coordinator_pub_key is None:
        raise UsageError("the Coordinator's recovery key is needed", wanted="--coordinator-pub-key FILE")
    plain = open_share(read_file(secret), share_key.load())
    _write(encrypt_share(plain, read_file(coordinator_pub_key)), file, output, "")


@app.command("sign-secret")
@with_options
def sign_secret(
    secret: SecretArgument,
    *,
    file: OutputOption = None,
    trust: Trust,
    share_key: ShareKeyChoice,
    output: Output,
) -> None:
    """Sign a recovery secret as its owner; without a network.

    Example: `sealmesh recover-with-signature sign-secret share.bin --key owner.pem -o share.sig`
    """
    from sealmesh.client import open_share

    del trust
    key = share_key.require()
    _write(key.sign(open_share(read_file(secret), key)), file, output, "")


def _write(content: bytes, file: Path | None, output: Output, said: str) -> None:
    from sealmesh.client.exchange import b64

    if file is None:
        output.raw(content, {"base64": b64(content)})
        return
    write_file(file, content)
    output.result(said, {"file": str(file)})


def _tell(recovery: "Recovery", output: Output) -> None:
    if recovery.remaining == 0:
        text = "The Coordinator has its state back and runs."
    else:
        text = f"The secret was taken. Still missing: {recovery.remaining}"
    output.result(text, {"remaining": recovery.remaining, "message": recovery.message})


def register(app_: typer.Typer) -> None:
    """Add `recover`."""
    app_.command(rich_help_panel="Operating")(recover)
