"""Load, decide, commit: the loop around every command.

The engine keeps nothing that it could not read again: the last state it saw, so that only what changed is
read. It has no lock. Threads that load at once come to the same state; the store decides who commits first.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from sealmesh.coordinator.context import Context, Settings
from sealmesh.coordinator.decision import Decision
from sealmesh.coordinator.keys_once import KeysOnce
from sealmesh.coordinator.ports import Clock, Entropy, KeyFactory, Seat, Store
from sealmesh.coordinator.state import State
from sealmesh.errors.coordinator import ConcurrentChange
from sealmesh.errors.store import StoreConflict
from sealmesh.ledger import EMPTY, Frontier
from sealmesh.pki import Authority

Reply = TypeVar("Reply")

#: Each conflict means that somebody else got on; so many in a row mean that the store is not right.
_ATTEMPTS = 100
#: Leaves that are read at once.
_CHUNK = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed(Generic[Reply]):
    """What a command came to, durably.

    Attributes:
        recovery_secrets: New shares, where the command changed the recovery keys.
    """

    reply: Reply
    recovery_secrets: Mapping[str, bytes] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    store: Store
    state: State


class Engine:
    """Runs commands against the store.

    Args:
        seat: Where the state is.
        fresh: The authority to serve with while there is no state; the same in all workers.
    """

    def __init__(
        self,
        *,
        seat: Seat,
        fresh: Authority,
        settings: Settings,
        clock: Clock,
        entropy: Entropy,
        keys: KeyFactory,
    ) -> None:
        self.seat = seat
        self.settings = settings
        self.clock = clock
        self._fresh = fresh
        self._entropy = entropy
        self._keys = keys
        self._view: _View | None = None

    def state(self) -> State:
        """Return the state as of now, with what other workers committed."""
        store = self.seat.store()
        if store is None:
            return State.before_manifest(self._fresh, recovery=self.seat.needs_recovery())
        return self._current(store)

    def frontier(self) -> Frontier:
        """Return the ledger as of now; empty while there is no state."""
        store = self.seat.store()
        return EMPTY if store is None else Frontier(*store.frontier())

    def recent_leaves(self, most: int) -> Iterator[bytes]:
        """Yield the ledger's newest leaves, the newest first; as of now, a chunk at a time."""
        store = self.seat.store()
        if store is None:
            return
        stop = store.leaf_count()
        last = max(0, stop - most)
        while stop > last:
            start = max(last, stop - _CHUNK)
            yield from reversed(store.leaves(start, stop))
            stop = start

    def context(self) -> Context:
        """Return what the decisions of one command may use."""
        return Context(
            now=self.clock(), entropy=self._entropy, keys=KeysOnce(self._keys), settings=self.settings
        )

    def run(
        self,
        decide: Callable[[State, Context], Decision[Reply]],
        *,
        retry: bool,
        context: Context | None = None,
        state: State | None = None,
    ) -> Committed[Reply]:
        """Decide on the present state, commit, and return the reply once it is durable.

        Args:
            decide: The command, waiting for state and context.
            context: The command's, where the slow inputs were fetched with it already.
            state: The state to decide on first, where it was read a moment ago; what changed since then is
                noticed by the commit.
            retry: Decide again when somebody else committed in between; otherwise report it.

        Raises:
            ConcurrentChange: Somebody else committed in between.
            SealmeshError: What `decide` and the store raise.
        """
        context = self.context() if context is None else context
        for _ in range(_ATTEMPTS):
            state = self.state() if state is None else state
            if isinstance(context.keys, KeysOnce):
                context.keys.rewind()
            decision = decide(state, context)
            try:
                secrets = self._commit(decision)
            except StoreConflict as error:
                if not retry:
                    raise ConcurrentChange("the state changed in between", found=error.key) from error
                state = None
            else:
                return Committed(reply=decision.reply, recovery_secrets=secrets)
        raise ConcurrentChange("the state changed again and again", found=f"{_ATTEMPTS} attempts")

    def _commit(self, decision: Decision[Reply]) -> Mapping[str, bytes] | None:
        change = decision.change
        if decision.rekey is not None:
            return self.seat.rekey(change, decision.rekey).recovery_secrets
        if not (change.puts or change.appends):
            return None
        store = self.seat.store()
        if store is None:
            raise RuntimeError("a decision to change a state that does not exist")
        store.commit(change)
        return None

    def _current(self, store: Store) -> State:
        view = self._view
        state = State.before_manifest(self._fresh) if view is None or view.store is not store else view.state
        if state.version != store.version() or state.in_force is None:
            state = state.refreshed(store.load(state.version))
            self._view = _View(store=store, state=state)
        return state
