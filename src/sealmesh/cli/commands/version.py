"""`sealmesh version`."""

import platform

import typer

from sealmesh import __version__
from sealmesh.cli.options import JsonOption
from sealmesh.cli.output import Output


def version(*, as_json: JsonOption = False) -> None:
    """Print the versions of sealmesh and Python.

    Example: `sealmesh version --json`
    """
    python = platform.python_version()
    Output(as_json=as_json).result(
        f"sealmesh {__version__} (Python {python})", {"sealmesh": __version__, "python": python}
    )


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(version)
