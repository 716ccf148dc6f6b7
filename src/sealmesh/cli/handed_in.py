"""Approvals that go with an act: handed in on the same connection, right before it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sealmesh.cli.files import read_file
from sealmesh.errors import SealmeshError

if TYPE_CHECKING:
    from sealmesh.client import CoordinatorApi

#: It is there already, so the act can be tried.
_THERE = "approval-repeated"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedIn:
    """The option `--approval FILE`, as often as there are files."""

    files: tuple[Path, ...] = ()

    def give(self, connection: "CoordinatorApi") -> None:
        """Hand them in; one that waits there already is no error.

        Raises:
            FileProblem: A file cannot be read.
            Refused: One does not count.
        """
        for raw in [read_file(path) for path in self.files]:
            try:
                connection.submit_approval(raw)
            except SealmeshError as error:
                if error.code != _THERE:
                    raise
