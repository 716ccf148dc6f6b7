"""Who may begin a handshake: fairness, and bounds that no order of events breaks."""

from hypothesis import given
from hypothesis import strategies as st

from sealmesh.adapters.http.waiting_room import Turn, Verdict, WaitingRoom


def room(**changes) -> WaitingRoom[str]:
    settings = {"slots": 4, "slots_each": 3, "chairs": 6, "chairs_each": 4, "patience_seconds": 1.0}
    return WaitingRoom(**(settings | changes))


def test_newcomers_begin_while_there_are_slots_and_wait_after() -> None:
    door = room(slots=2)
    assert [door.arrive(name, name, 0) for name in "abc"] == [Verdict.BEGIN, Verdict.BEGIN, Verdict.WAIT]
    assert (door.handshakes, door.waiting) == (2, 1)


def test_one_address_has_its_own_bound_and_others_pass_it() -> None:
    door = room()
    assert [door.arrive(f"a{n}", "a", 0) for n in range(4)] == [Verdict.BEGIN] * 3 + [Verdict.WAIT]
    assert door.arrive("b", "b", 0) is Verdict.BEGIN


def test_who_finds_no_chair_is_refused() -> None:
    door = room(slots=1)
    verdicts = [door.arrive(f"a{n}", "a", 0) for n in range(6)]
    assert verdicts == [Verdict.BEGIN] + [Verdict.WAIT] * 4 + [Verdict.REFUSE]
    assert "a5" not in door


def test_a_slot_is_kept_for_the_patience_and_then_given_to_who_waits() -> None:
    door = room(slots=1)
    door.arrive("first", "a", 0.0)
    door.arrive("second", "a", 0.1)
    assert door.turn(0.99) == Turn((), ())
    assert door.turn(1.0) == Turn(("first",), ("second",))
    assert "first" not in door


def test_a_slot_that_nobody_waits_for_is_kept() -> None:
    door = room(slots=1)
    door.arrive("first", "a", 0)
    assert door.turn(1000) == Turn((), ())


def test_who_leaves_makes_room_at_once() -> None:
    door = room(slots=1)
    door.arrive("first", "a", 0)
    door.arrive("second", "a", 0)
    door.depart("first")
    assert door.turn(0) == Turn((), ("second",))


def test_who_gives_up_waiting_is_not_called() -> None:
    door = room(slots=1)
    for name in ("first", "second", "third"):
        door.arrive(name, "a", 0)
    door.depart("second")
    assert door.turn(1).begin == ("third",)


def test_addresses_take_turns_however_many_wait_at_one() -> None:
    door = room(slots=1, chairs=10)
    door.arrive("holder", "x", 0)
    for name in ("a1", "a2", "a3", "b1"):
        door.arrive(name, name[0], 0)
    order = []
    for second in range(1, 5):
        order += door.turn(second).begin
    assert order == ["a1", "b1", "a2", "a3"]


_EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("arrive"), st.integers(0, 30), st.sampled_from("abc")),
        st.tuples(st.just("depart"), st.integers(0, 30)),
        st.tuples(st.just("turn"), st.floats(0, 2)),
    ),
    max_size=80,
)


@given(events=_EVENTS)
def test_no_order_of_events_breaks_a_bound_or_loses_anybody(events) -> None:
    door: WaitingRoom[int] = WaitingRoom(slots=4, slots_each=3, chairs=6, chairs_each=4, patience_seconds=1.0)
    now, inside, holding = 0.0, {}, {}
    for event in events:
        match event:
            case ("arrive", item, address) if item not in inside:
                verdict = door.arrive(item, address, now)
                if verdict is not Verdict.REFUSE:
                    inside[item] = address
                if verdict is Verdict.BEGIN:
                    holding[item] = now
            case ("depart", item):
                door.depart(item)
                inside.pop(item, None)
                holding.pop(item, None)
            case ("turn", seconds):
                now += seconds
                turn = door.turn(now)
                for item in turn.leave:
                    assert now - holding.pop(item) >= 1.0
                    del inside[item]
                holding |= dict.fromkeys(turn.begin, now)
        assert door.handshakes == len(holding) <= 4
        assert door.waiting == len(inside) - len(holding) <= 6
        assert all(item in door for item in inside)
        for address in "abc":
            assert sum(inside[item] == address for item in holding) <= 3
    for _ in range(20):
        now += 2
        holding |= dict.fromkeys(door.turn(now).begin, now)
    assert door.waiting == 0  # nobody waits for ever
