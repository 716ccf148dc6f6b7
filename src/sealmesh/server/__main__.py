"""`python -m sealmesh.server`: a Coordinator from variables alone, without the command line's imports."""

import sys

from sealmesh.errors import SealmeshError
from sealmesh.server.configuration import read_configuration
from sealmesh.server.main import exit_code_of, run


def main() -> int:
    """Run a Coordinator; what stops it from starting goes to stderr."""
    try:
        return run(read_configuration())
    except SealmeshError as error:
        print(f"sealmesh: {error.code}: {error}", file=sys.stderr)
        return exit_code_of(error)


if __name__ == "__main__":
    sys.exit(main())
