"""The port: a number that only grows, where whoever puts back the state's files cannot put it back too.

The caller (`adapters.store.mooring`) holds a lock between processes around each use.
"""

from typing import Protocol


class Anchor(Protocol):
    """Counts one state's writes."""

    def count(self) -> int | None:
        """Return the number, or None where there is none yet.

        Raises:
            AnchorError: It cannot be read now.
        """
        ...

    def used(self) -> bool:
        """Tell whether a state was ever bound to it, so that one which is not bound must be an old copy.

        Raises:
            AnchorError: It cannot be read now.
        """
        ...

    def begin(self) -> int:
        """Begin to count where there is no number yet, and return the number.

        Raises:
            AnchorError: It cannot be written.
        """
        ...

    def advance(self, count: int) -> None:
        """Count from `count - 1` to `count`, durably.

        Raises:
            AnchorError: It did not, or what it counted is not `count`.
        """
        ...

    def mark_used(self) -> None:
        """Remember that a state is bound to it; nothing new where that is remembered.

        Raises:
            AnchorError: It cannot be written.
        """
        ...

    def describe(self) -> str:
        """Return one phrase for people."""
        ...
