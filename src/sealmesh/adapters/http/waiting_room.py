"""Who may begin a handshake, and who waits: fair among addresses, and everybody gets a fair time.

The peers are strangers and a handshake costs memory and computing, so only some go on at once. Letting the
newest push out the oldest would let a flood that reconnects push out everybody within milliseconds; refusing
the newest would let a few silent connections lock out all others. So:

- whoever finds no slot waits, as a socket only, in a queue of its address; the addresses take turns;
- a slot is kept for `patience` seconds at least; after that it is kept only while nobody waits for it.

No clock and no I/O: time is an argument, and what is to be done is returned.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, TypeVar

T = TypeVar("T")


class Verdict(Enum):
    """What happens to a newcomer."""

    BEGIN = auto()
    WAIT = auto()
    REFUSE = auto()


@dataclass(frozen=True, slots=True)
class Turn(Generic[T]):
    """Who has to go, and who begins in its place."""

    leave: tuple[T, ...]
    begin: tuple[T, ...]


class WaitingRoom(Generic[T]):
    """Slots for handshakes, and the queues in front of them.

    Args:
        slots: Handshakes at once, and of one address.
        chairs: Who waits at once, and of one address.
        patience_seconds: How long a slot is kept whoever waits.
    """

    def __init__(
        self, *, slots: int, slots_each: int, chairs: int, chairs_each: int, patience_seconds: float
    ) -> None:
        self._slots, self._slots_each = slots, slots_each
        self._chairs, self._chairs_each = chairs, chairs_each
        self._patience = patience_seconds
        self._holders: dict[T, tuple[str, float]] = {}
        self._held_by: dict[str, dict[T, None]] = {}
        self._queues: dict[str, deque[T]] = {}
        self._waiting: dict[T, str] = {}

    @property
    def handshakes(self) -> int:
        """How many slots are taken."""
        return len(self._holders)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def __contains__(self, item: T) -> bool:
        return item in self._holders or item in self._waiting

    def arrive(self, item: T, address: str, now: float) -> Verdict:
        """Take in a newcomer."""
        if address not in self._queues and self._has_room(address):
            self._seat(item, address, now)
            return Verdict.BEGIN
        queue = self._queues.get(address)
        if len(self._waiting) >= self._chairs or (queue is not None and len(queue) >= self._chairs_each):
            return Verdict.REFUSE
        self._queues.setdefault(address, deque()).append(item)
        self._waiting[item] = address
        return Verdict.WAIT

    def depart(self, item: T) -> None:
        """Forget `item`, whatever became of it."""
        held = self._holders.pop(item, None)
        if held is not None:
            mates = self._held_by[held[0]]
            del mates[item]
            if not mates:
                del self._held_by[held[0]]
            return
        address = self._waiting.pop(item, None)
        if address is not None:
            queue = self._queues[address]
            queue.remove(item)
            if not queue:
                del self._queues[address]

    def turn(self, now: float) -> Turn[T]:
        """Give slots to those who wait, address by address.

        To be called when one left, and every now and then while anybody waits.
        """
        leave: list[T] = []
        begin: list[T] = []
        passed = 0
        while passed < len(self._queues):
            address = next(iter(self._queues))
            loser = self._loser(address, now)
            if loser is None and not self._has_room(address):
                self._queues[address] = self._queues.pop(address)  # to the end of the line
                passed += 1
                continue
            if loser is not None:
                leave.append(loser)
                self.depart(loser)
            item = self._call_in(address)
            self._seat(item, address, now)
            begin.append(item)
            passed = 0
        return Turn(leave=tuple(leave), begin=tuple(begin))

    def _has_room(self, address: str) -> bool:
        return len(self._holders) < self._slots and len(self._held_by.get(address, ())) < self._slots_each

    def _loser(self, address: str, now: float) -> T | None:
        """Return who has had its time and is in the way of `address`."""
        mates = self._held_by.get(address, {})
        if len(mates) >= self._slots_each:
            oldest = next(iter(mates))
        elif len(self._holders) >= self._slots:
            oldest = next(iter(self._holders))
        else:
            return None
        return oldest if now - self._holders[oldest][1] >= self._patience else None

    def _call_in(self, address: str) -> T:
        queue = self._queues.pop(address)
        item = queue.popleft()
        del self._waiting[item]
        if queue:
            self._queues[address] = queue  # at the end: the next address has its turn first
        return item

    def _seat(self, item: T, address: str, now: float) -> None:
        self._holders[item] = (address, now)
        self._held_by.setdefault(address, {})[item] = None
