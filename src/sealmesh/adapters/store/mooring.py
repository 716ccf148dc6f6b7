"""How the writes of a state are bound to an anchor, so that an old copy of its files is noticed.

The sealed head carries an epoch, and each write to the files takes the next one:

    1. take the lock of all writers     2. see that the anchor counts the head's epoch
    3. write, with the next epoch       4. commit to the disk        5. advance the anchor; only now answer

What is read is acted on only once the anchor counts it (`reach`). A crash between 4 and 5 leaves a head one
ahead of its anchor; that is accepted, and made up for before anything else is read or written. So nobody was
answered from what such a crash can take back. A head *behind* the anchor was put back: there is no order of
crashes that leads there.

Epoch 0 is a state that is not bound. One that was made before an anchor was configured is bound at the next
start, if no state was ever bound to that anchor.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Final, Protocol

from sealmesh.adapters.anchor import Anchor
from sealmesh.adapters.store.files import make_directory, touch
from sealmesh.adapters.store.turnstile import Turnstile
from sealmesh.errors.store import StateRolledBack

LOCK: Final = "anchor.lock"


class Mooring(Protocol):
    """What a store asks: `check` first in each transaction, `settle` when what was planned is durable."""

    def describe(self) -> str:
        """Return one phrase for people."""
        ...

    def held(self) -> AbstractContextManager[None]:
        """Keep all other writers out, of other processes too; may be taken again by who has it."""
        ...

    def check(self, epoch: int) -> None:
        """Accept the head's epoch.

        Raises:
            StateRolledBack: The head is an old one.
            AnchorError: The anchor cannot be asked.
        """
        ...

    def adopts(self, epoch: int) -> bool:
        """Tell whether a state with this epoch is to be bound now.

        Raises:
            StateRolledBack: It is not bound, and one that is bound was here.
            AnchorError: The anchor cannot be asked.
        """
        ...

    def next(self, epoch: int) -> int:
        """Plan the epoch of the next head."""
        ...

    def first(self) -> int:
        """Plan the epoch of a state that was not bound, or is bound anew on its owners' word."""
        ...

    def reach(self, epoch: int) -> None:
        """Return when the anchor counts what was read with this epoch: nobody acts on less. Not in a read.

        Raises:
            StateRolledBack: It is further than that can explain.
            AnchorError: The anchor cannot be asked or moved.
        """
        ...

    def settle(self) -> None:
        """Bring the anchor to the planned epoch.

        Raises:
            AnchorError: It cannot be moved; what was committed is there, and the next write makes up for it.
        """
        ...


class Unmoored:
    """No anchor is configured."""

    def describe(self) -> str:
        """Return one phrase for people."""
        return "none: an old copy of all files of the state is not noticed"

    def held(self) -> AbstractContextManager[None]:
        """Keep nobody out: SQLite's own lock is enough."""
        return nullcontext()

    def check(self, epoch: int) -> None:
        """Refuse a state that is bound to an anchor: without it its age cannot be known."""
        if epoch:
            raise StateRolledBack(
                "The state is bound to an anchor, and this Coordinator is told of none",
                found=f"epoch {epoch}, no anchor",
                remedy="Name the anchor with --anchor, or let the owners recover with their shares",
            )

    def adopts(self, epoch: int) -> bool:
        """Bind nothing."""
        del epoch
        return False

    def next(self, epoch: int) -> int:
        """Keep the epoch."""
        return epoch

    def first(self) -> int:
        """Bind nothing."""
        return 0

    def reach(self, epoch: int) -> None:
        """Nothing to wait for."""

    def settle(self) -> None:
        """Nothing to do."""


class Adrift(Unmoored):
    """For who opens a state with a recovered key, to look at it: any age is accepted."""

    def check(self, epoch: int) -> None:
        """Accept it."""


class Moored:
    """Bound to an anchor. One object serves all of a process's stores in one directory.

    Args:
        anchor: Counts.
        directory: The seal directory; made if missing. It gets the lock's file.
    """

    def __init__(self, anchor: Anchor, directory: Path) -> None:
        self._anchor = anchor
        self._directory = directory
        self._lock = threading.RLock()
        self._depth = 0
        self._planned: int | None = None
        self._marked = False
        self._reached = 0

    def describe(self) -> str:
        """Return one phrase for people."""
        return self._anchor.describe()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep all other writers out."""
        with self._lock:
            if self._depth:
                yield
                return
            make_directory(self._directory)
            touch(self._directory / LOCK)
            turnstile = Turnstile(self._directory / LOCK)
            self._depth += 1
            try:
                with turnstile.held():
                    yield
            finally:
                self._depth -= 1
                turnstile.close()

    def check(self, epoch: int) -> None:
        """Accept the epoch that the anchor counts, or one more after a crash, which it makes up for."""
        self._planned = None
        count = self._anchor.count()
        if not epoch or count is None or not count <= epoch <= count + 1:
            raise self._rolled_back(epoch, count)
        if epoch == count + 1:
            self._anchor.advance(epoch)
        self._arrived(epoch)

    def adopts(self, epoch: int) -> bool:
        """Tell whether it is not bound and no state ever was."""
        if epoch:
            return False
        if self._anchor.used():
            raise self._rolled_back(epoch, self._anchor.count())
        return True

    def next(self, epoch: int) -> int:
        """Plan one more."""
        self._planned = epoch + 1
        return self._planned

    def first(self) -> int:
        """Plan one more than the anchor counts."""
        count = self._anchor.count()
        return self.next(self._anchor.begin() if count is None else count)

    def reach(self, epoch: int) -> None:
        """Wait for whoever writes now; if he died before he counted, count for him."""
        if epoch <= self._reached:
            return
        with self.held():
            if epoch <= self._reached:
                return
            count = self._anchor.count()
            if count is None or epoch > count + 1:
                raise self._rolled_back(epoch, count)
            if epoch == count + 1:
                self._anchor.advance(epoch)
            self._arrived(epoch)

    def settle(self) -> None:
        """Bring the anchor to the planned epoch, if one was planned."""
        planned, self._planned = self._planned, None
        if planned is not None:
            self._anchor.advance(planned)
            self._arrived(planned)

    def _arrived(self, epoch: int) -> None:
        self._reached = max(self._reached, epoch)
        if not self._marked:
            self._anchor.mark_used()
            self._marked = True

    def _rolled_back(self, epoch: int, count: int | None) -> StateRolledBack:
        about = self._anchor.describe()
        counted = "no number" if count is None else f"epoch {count}"
        if epoch > (count or 0):
            return StateRolledBack(
                f"The anchor ({about}) is not the one of this state, or was put back",
                found=f"the state has epoch {epoch}, the anchor {counted}",
            )
        bound = f"epoch {epoch}" if epoch else "no epoch: it is from before it was bound"
        return StateRolledBack(
            "An older copy of the state was put back",
            found=f"the state has {bound}; the anchor ({about}) has {counted}",
        )
