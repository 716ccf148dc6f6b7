"""Slots for connections: the longest inactive makes room."""

from sealmesh.adapters.http.slots import Slots


def test_the_longest_inactive_makes_room() -> None:
    slots: Slots[str] = Slots(total=2, per_peer=2)
    assert slots.add("first", "a") is None
    assert slots.add("second", "b") is None
    slots.touch("first")
    assert slots.add("third", "c") == "second"
    assert "second" not in slots
    assert slots.oldest_first() == ["first", "third"]


def test_a_peer_over_its_bound_makes_room_itself() -> None:
    slots: Slots[str] = Slots(total=9, per_peer=2)
    slots.add("other", "b")
    slots.add("one", "a")
    slots.add("two", "a")
    assert slots.add("three", "a") == "one"
    assert len(slots) == 3


def test_touching_and_discarding_strangers_does_nothing() -> None:
    slots: Slots[str] = Slots(total=1, per_peer=1)
    slots.touch("stranger")
    slots.discard("stranger")
    assert len(slots) == 0
