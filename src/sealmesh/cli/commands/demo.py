"""`sealmesh demo bookstore`."""

from typing import Annotated

import typer

from sealmesh.cli.options import JsonOption
from sealmesh.cli.output import Output
from sealmesh.errors.cli import DemoFailed

app = typer.Typer(help="Run a whole confidential application on this machine.", no_args_is_help=True)


@app.callback()
def _demos() -> None:
    """Run a whole confidential application on this machine."""


@app.command()
def bookstore(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Leave it running and print the pages' URLs.")] = False,
    mixed: Annotated[
        bool, typer.Option("--mixed", help="Run the services in simulated SGX, TDX, SNP, Nitro and TPM.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Play the attested bookstore: six acts, each shown as it happens and asserted.

    A Coordinator and four services run on free ports in a temporary folder. No TEE is needed: Evidence
    comes from a simulated SGX platform and goes through the same verifier as Intel's. The exit code is
    0 only if every assertion held.

    Example: `sealmesh demo bookstore --keep`
    """
    try:
        from rich.console import Console

        from sealmesh.demo.bookstore import perform
    except ImportError as error:
        raise DemoFailed(
            "the demo's programs need more packages",
            found=str(error),
            remedy="Install them with: pip install 'sealmesh[demo]'",
        ) from error
    report = perform(Console(stderr=as_json), keep=keep, mixed=mixed)
    if as_json:
        Output(as_json=True).result("", report.document())
        raise typer.Exit(0 if report.passed else 1)
    if report.error is not None:
        raise report.error
    if not report.passed:
        raise DemoFailed("not every act was played")
    print(f"\nEvery assertion held: {len(report.acts)} acts in {report.seconds:.0f} s.")
