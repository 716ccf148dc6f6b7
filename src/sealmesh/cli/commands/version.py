"""`sealmesh version`."""

import platform

import typer

from sealmesh import __version__
from sealmesh.cli.options import with_options
from sealmesh.cli.output import Output
from sealmesh.cli.trust import Trust


@with_options
def version(*, trust: Trust, output: Output) -> None:
    """Print the versions of sealmesh and Python.

    Example: `sealmesh version --json`
    """
    del trust  # accepted as MarbleRun's client accepts it
    python = platform.python_version()
    output.result(f"sealmesh {__version__} (Python {python})", {"sealmesh": __version__, "python": python})


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(version)
