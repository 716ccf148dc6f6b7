"""The command line: faces, no logic.

Commands import what they need when they run, so that `sealmesh --help` and shell completion stay quick.
"""

from sealmesh.cli.main import main

__all__ = ["main"]
