"""The entry point: run a command, turn failures into text on stderr and an exit code.

Exit codes (`docs/reference/cli.md`): 0 it was done, or what was checked holds; 1 anything else, wrong usage
included, as MarbleRun's client has it; 130 interrupted. `sealmesh run` ends with its program's code.
"""

import sys
from collections.abc import Sequence

import typer

from sealmesh.cli.arguments import arranged
from sealmesh.cli.output import Output
from sealmesh.errors import SealmeshError

DONE = 0
REFUSED = 1
INTERRUPTED = 130
BROKEN_PIPE = 1

# Where typer's copy of click lives differs between versions; a public class leads to the others.
_UsageError = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "UsageError")
_ClickError = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
_HELP_SHOWN = "NoArgsIsHelpError"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` (default: the process's) name; return the exit code."""
    from sealmesh.cli.app import app

    given = list(sys.argv[1:] if arguments is None else arguments)
    options = given[: given.index("--")] if "--" in given else given
    output = Output(as_json="--json" in options)
    try:
        commands = typer.main.get_command(app)
        result = commands.main(arranged(given, commands), prog_name="sealmesh", standalone_mode=False)
        sys.stdout.flush()
    except SealmeshError as error:
        output.failure(error)
        return REFUSED
    except Exception as error:
        if isinstance(error, typer.Abort):
            return INTERRUPTED
        if isinstance(error, BrokenPipeError):
            sys.stderr.close()
            return BROKEN_PIPE
        if not isinstance(error, _ClickError):
            raise
        if type(error).__name__ == _HELP_SHOWN:
            return DONE  # it is on stdout already
        output.usage(error)
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    return result if isinstance(result, int) else DONE
