"""`sealmesh run`."""

from typing import Annotated, Any

import typer

from sealmesh.cli.main import DONE


def _option(name: str, metavar: str, help_text: str) -> Any:
    return typer.Option(f"--{name}", metavar=metavar, help=help_text)


def run(
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PROGRAM ARGS", help="The program, after `--`; without it, what the package says."
        ),
    ] = None,
    *,
    marble_type: Annotated[str, _option("type", "TYPE", "The Marble type in the manifest.")] = "",
    coordinator_addr: Annotated[
        str, _option("coordinator-addr", "ADDR", "The Coordinator's mesh port; `localhost:2001`.")
    ] = "",
    package: Annotated[str, _option("package", "PACKAGE", "The package or its folder; here.")] = "",
    attester: Annotated[
        str, _option("attester", "KIND", "How Evidence is made: `simulated[:DIR]`, `auto`.")
    ] = "",
    uuid_file: Annotated[str, _option("uuid-file", "FILE", "Where the Marble's UUID is kept; `uuid`.")] = "",
    dns_names: Annotated[
        str, _option("dns-names", "LIST", "Names to ask for in the certificate; `localhost`.")
    ] = "",
    wait: Annotated[
        str, _option("wait", "SECONDS", "How long to wait for a Coordinator that is away; 60.")
    ] = "",
    legacy: Annotated[
        bool, typer.Option("--legacy", help="MarbleRun's activation: the Coordinator is not verified.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Before the program starts, print an error as JSON too.")
    ] = False,
) -> None:
    """Join the mesh and run a program inside it, unchanged.

    1. The package here (`sealmesh sign` made it) is measured: Evidence says what runs.

    2. The Coordinator admits it as a Marble of TYPE, and is itself verified by the policy in the package.

    3. The program gets files, environment and arguments from the manifest. A Python program gets mutual
    TLS inside its own process, and connects and listens only where the manifest says; any other program
    gets MARBLE_PREDEFINED_* and does TLS itself.

    4. This command stays as its parent: it renews the certificate, forwards signals, logs every refused
    connection with its reason on stderr, and ends with the program's exit code.

    If the program was not started, the exit code is 1 and the error says why and what to do. Every
    option can be given as `SEALMESH_*`, and as MarbleRun's `EDG_MARBLE_*`.

    Examples:
        sealmesh run --type hello --attester simulated

        sealmesh run --type hello --attester simulated -- python hello.py    # must be what was signed

        EDG_MARBLE_TYPE=hello EDG_MARBLE_COORDINATOR_ADDR=coordinator:2001 sealmesh run
    """
    del as_json  # `main` looks for it: errors are its part
    from sealmesh.marble import read_configuration
    from sealmesh.marble import run as run_marble

    given = {
        "type": marble_type,
        "coordinator-addr": coordinator_addr,
        "package": package,
        "attester": attester,
        "uuid-file": uuid_file,
        "dns-names": dns_names,
        "wait": wait,
        "legacy": "1" if legacy else "",
    }
    options = {name: text for name, text in given.items() if text}
    code = run_marble(read_configuration(command or (), options))
    if code != DONE:
        raise typer.Exit(code)


def register(app: typer.Typer) -> None:
    """Add the command."""
    # What follows the program's name is the program's, options too.
    settings = {"allow_interspersed_args": False, "ignore_unknown_options": False}
    app.command("run", rich_help_panel="Running", context_settings=settings)(run)
