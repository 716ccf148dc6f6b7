"""Monotonic counters of a Marble (gate `MonotonicCounter`)."""

from sealmesh.client.answers import data_of, member
from sealmesh.client.exchange import V2, Exchange, post


def raise_counter(name: str, value: int) -> Exchange[int]:
    """Raise a counter of the calling Marble to `value` if that is more; return what it was.

    The connection must show the Marble's certificate of the present CA; a leaf alone is enough.
    """
    request = post(f"{V2}/monotonic-counter", {"name": name, "value": value})
    return int(member(data_of(request, (yield request)), "value", int))
