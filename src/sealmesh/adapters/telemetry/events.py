"""The last activations, as `/events` shows them (COMPAT section 12).

In memory only, and bounded: by number, and by the bytes of the Evidence that is kept with them.
"""

import json
from base64 import b64encode
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Final

MAX_EVENTS: Final = 1000
#: Of all Evidence kept; 1000 SGX quotes are about 5 MB.
MAX_QUOTE_BYTES: Final = 6 * 1024 * 1024
#: Of one event; no platform's Evidence is nearly that large, and it is nothing but a peer's bytes otherwise.
MAX_QUOTE_BYTES_OF_ONE: Final = 64 * 1024

#: One event as it stands in the document.
EventDocument = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """A Marble came in.

    Attributes:
        time: Aware.
        uuid: As the Marble wrote it.
        quote: Its Evidence; empty where it had none.
    """

    time: datetime
    marble_type: str
    uuid: str
    quote: bytes = field(repr=False)

    def document(self) -> EventDocument:
        """Return the event as it is shown."""
        time = self.time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        quote = b64encode(self.quote).decode("ascii") if self.quote else None
        return {
            "time": time,
            "activation": {"marbleType": self.marble_type, "uuid": self.uuid, "quote": quote},
        }


class EventLog:
    """The last activations of this process; may be used by several threads."""

    def __init__(self, *, events: int = MAX_EVENTS, quote_bytes: int = MAX_QUOTE_BYTES) -> None:
        self._most_events = events
        self._most_bytes = quote_bytes
        self._events: deque[Activation] = deque()
        self._bytes = 0
        self._lock = Lock()

    def add(self, *, time: datetime, marble_type: str, uuid: str, quote: bytes) -> None:
        """Keep an activation; the oldest go. Evidence over 64 KiB is left out."""
        kept = quote if len(quote) <= MAX_QUOTE_BYTES_OF_ONE else b""
        event = Activation(time=time, marble_type=marble_type, uuid=uuid, quote=kept)
        with self._lock:
            self._events.append(event)
            self._bytes += len(kept)
            while len(self._events) > self._most_events or self._bytes > self._most_bytes:
                self._bytes -= len(self._events.popleft().quote)

    def documents(self) -> list[EventDocument]:
        """Return the events, oldest first."""
        with self._lock:
            kept = tuple(self._events)
        return [event.document() for event in kept]


def render_events(documents: Iterable[EventDocument]) -> bytes:
    """Return the JSON of events of one or more processes, in the order of their time; `null` for none."""
    ordered = sorted(documents, key=lambda document: str(document["time"]))
    return json.dumps(ordered or None, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
