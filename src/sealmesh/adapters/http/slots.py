"""A bounded set of connections in which the newest is always let in and the longest inactive goes."""

from typing import Generic, TypeVar

T = TypeVar("T")


class Slots(Generic[T]):
    """Members in the order of their last sign of life, with a cap for all and one for each peer."""

    def __init__(self, *, total: int, per_peer: int) -> None:
        self._total = total
        self._per_peer = per_peer
        self._members: dict[T, str] = {}
        self._of_peer: dict[str, dict[T, None]] = {}

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, member: T) -> bool:
        return member in self._members

    def oldest_first(self) -> list[T]:
        """Return all members, the longest inactive first."""
        return list(self._members)

    def add(self, member: T, peer: str) -> T | None:
        """Let `member` in; return who has to go for it, already taken out."""
        mates = self._of_peer.setdefault(peer, {})
        loser: T | None = None
        if len(mates) >= self._per_peer:
            loser = next(iter(mates))
        elif len(self._members) >= self._total:
            loser = next(iter(self._members))
        self._members[member] = peer
        mates[member] = None
        if loser is not None:
            self.discard(loser)
        return loser

    def touch(self, member: T) -> None:
        """Note a sign of life."""
        peer = self._members.pop(member, None)
        if peer is None:
            return
        self._members[member] = peer
        mates = self._of_peer[peer]
        del mates[member]
        mates[member] = None

    def discard(self, member: T) -> None:
        """Take `member` out if it is in."""
        peer = self._members.pop(member, None)
        if peer is None:
            return
        mates = self._of_peer[peer]
        del mates[member]
        if not mates:
            del self._of_peer[peer]
