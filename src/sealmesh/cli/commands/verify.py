"""`sealmesh verify`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from sealmesh.cli.options import JsonOption, NonceOption, OutputOption, PolicyOption
from sealmesh.cli.output import Output
from sealmesh.cli.report import report, summary
from sealmesh.errors.cli import TrustMissing, UsageError


def verify(
    subject: Annotated[
        str,
        typer.Argument(metavar="ADDRESS|STATEMENT", help="A Coordinator (HOST:PORT) or a statement's file."),
    ],
    *,
    policy: PolicyOption = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="Verify a file as of then, 2026-11-21T12:00:00Z."),
    ] = None,
    nonce: NonceOption = None,
    file: OutputOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify a whole application with one statement, online or from a file.

    With an ADDRESS the Coordinator makes a statement for a fresh nonce; it is verified and written to
    `statement.json` (`-o`). With a FILE the same checks run without a network, as of now or `--at` a
    time. The policy says what you want: which software the Coordinator must be, whose hardware you
    believe, and if you like which manifest:

        {"Coordinator": {"SignerID": "...", "ProductID": 1, "SecurityVersion": 1}, "Manifest": "..."}

    The exit code is 0 only if everything holds.

    Examples:
        sealmesh verify shop.example:4433 --policy policy.json

        sealmesh verify statement.json --policy policy.json --at 2026-11-21T12:00:00Z
    """
    from sealmesh.client import read_policy, read_statement, verify_statement, write_statement
    from sealmesh.client import verify as verify_online

    output = Output(as_json=as_json)
    if policy is None:
        raise TrustMissing(
            "a policy says what to verify against",
            wanted="--policy FILE",
            remedy="See `sealmesh verify --help` for its form; the application's owner publishes one.",
        )
    wanted = read_policy(policy)
    path = Path(subject)
    if path.is_file():
        now = datetime.now(UTC) if at is None else parse_time(at)
        given = None if nonce is None else nonce.encode()
        application = verify_statement(read_statement(path), wanted, now=now, nonce=given)
        where, fresh = f"the file {subject}", given is not None
    else:
        if at is not None:
            raise UsageError("--at goes with a statement's file", found=f"no file {subject}")
        given = None if nonce is None else nonce.encode()
        application = verify_online(subject, policy=wanted, nonce=given)
        where, fresh = subject, True
        file = file or Path("statement.json")
    if file is not None:
        write_statement(application, file)
    output.result(
        report(application, where=where, fresh=fresh, kept=file),
        summary(application) | {"file": str(file or path)},
    )


def parse_time(text: str) -> datetime:
    """Return the moment in an ISO 8601 text; without an offset it is UTC.

    Raises:
        UsageError: It is not one.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError("not a time", found=text, wanted="ISO 8601, such as 2026-11-21T12:00:00Z") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(verify)
