"""The one thread of a process that moves the bytes of all its links.

Started with the first link, not before: threads do not survive a fork and disturb programs that fork.
It uses the primitives kept in `original`, so that gevent's replacements do not reach it, and blocks all
signals, so that the program's main thread gets them.

Limits: a handshake has `HANDSHAKE_SECONDS`; more than `MAX_HANDSHAKES` waiting ones push out the oldest
caller, because an honest one needs milliseconds and a flood of silent ones must not keep it out.
"""

import collections
import errno
import os
import resource
import select
import signal
from collections.abc import Callable, Iterable
from typing import Final

from sealmesh.dataplane.link import Link
from sealmesh.dataplane.link_face import Phase
from sealmesh.dataplane.original import immediate_exit, monotonic, new_epoll, new_lock, new_poll, start_thread

#: A TLS 1.3 handshake takes one round trip; this allows for lost packets and a busy machine.
HANDSHAKE_SECONDS: Final = 10.0
#: About 100 kB each: what a small service can spare for strangers. Each also takes three descriptors, so
#: no more than an eighth of what the process may have.
MAX_HANDSHAKES: Final = 512
#: How long to read and drop what a peer still sends after the end.
DRAIN_SECONDS: Final = 2.0
MAX_DRAINING: Final = 512
FAREWELL_SECONDS: Final = 1.0
EXIT_PUMP_FAILED: Final = 98

Report = Callable[[Link], None]


class Pump:
    """Moves links. `report` hears of every link that ends with a reason."""

    def __init__(self, report: Report, *, handshake_seconds: float = HANDSHAKE_SECONDS) -> None:
        self._report = report
        self._handshake_seconds = handshake_seconds
        self._most = min(MAX_HANDSHAKES, max(16, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 8))
        self._reset()

    def _reset(self) -> None:
        self._lock = new_lock()
        self._running = False
        self._jobs: collections.deque[Callable[[], None]] = collections.deque()
        self._links: dict[Link, None] = {}
        self._registered: dict[int, tuple[Link, int, int]] = {}
        self._handshakes: dict[Link, float] = {}
        self._draining: dict[Link, float] = {}
        self._watched: dict[int, Callable[[], None]] = {}
        self._epoll: select.epoll | None = None
        self._wake: tuple[int, int] | None = None

    # ---- for other threads

    def submit(self, link: Link) -> None:
        """Move `link` from now on."""
        self._links[link] = None
        self._do(lambda: self._take(link))

    def cancel(self, link: Link, error: int, reason: str) -> None:
        """End `link` soon."""
        self._do(lambda: self._cancel(link, error, reason))

    def cut(self, wanted: Callable[[Link], bool], reason: str) -> None:
        """End all links for which `wanted` holds: their peers were revoked or the rules changed."""

        def cut_all() -> None:
            for link in [link for link in self._links if wanted(link)]:
                self._cancel(link, errno.ECONNRESET, reason)

        if self._links:
            self._do(cut_all)

    def listen_to(self, descriptor: int, readable: Callable[[], None]) -> None:
        """Call `readable` on the pump's thread whenever `descriptor` is; starts the thread."""
        self._do(lambda: self._listen_to(descriptor, readable))

    def flush(self, seconds: float) -> None:
        """The process ends: deliver what the program has written, at most for `seconds`.

        Then wait a little for the peers to end too: closing with their bytes unread would make the kernel
        send a reset, which destroys what is still on its way to them.
        """
        links = list(self._links)
        if not links:
            return
        started = monotonic()
        self._do(lambda: self._finish_all(links))
        _poll_until(lambda: all(link.finished for link in links), started + seconds)
        _poll_until(lambda: all(link.phase is Phase.CLOSED for link in links), monotonic() + FAREWELL_SECONDS)

    def forget(self) -> None:
        """In a forked child: the parent moves the links; drop our copies of everything and start anew."""
        links, epoll, wake = self._links, self._epoll, self._wake
        self._reset()
        for link in links:
            link.abandon()
        if epoll is not None:
            epoll.close()
        for descriptor in wake or ():
            os.close(descriptor)

    def stop(self) -> None:
        """End the thread (it starts again when needed). Only without links, so after the proof."""
        stopped = new_lock()
        stopped.acquire()
        self._do(lambda: self._stop(stopped))
        stopped.acquire()

    @property
    def idle(self) -> bool:
        """Whether no link is being moved."""
        return not self._links

    # ---- the thread

    def _do(self, job: Callable[[], None]) -> None:
        with self._lock:
            self._jobs.append(job)
            if not self._running:
                self._start()
            if self._wake is not None:  # under the lock: `_stop` closes it
                try:
                    os.write(self._wake[1], b"x")
                except BlockingIOError:
                    pass  # it is awake

    def _start(self) -> None:
        self._epoll = new_epoll()
        self._wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        for descriptor in (self._wake[0], *self._watched):
            self._epoll.register(descriptor, select.EPOLLIN)
        self._running = True
        start_thread(self._run, (self._epoll, self._wake[0]))

    def _run(self, epoll: select.epoll, wake: int) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            while self._epoll is epoll:
                self._turn(epoll.poll(self._patience()), wake)
        except BaseException as error:  # a dead pump would hang every connection: our own fault, so end
            os.write(2, f"sealmesh: the data plane failed: {error!r}\n".encode())
            immediate_exit(EXIT_PUMP_FAILED)

    def _turn(self, happened: list[tuple[int, int]], wake: int) -> None:
        events: dict[Link, list[int]] = {}
        for descriptor, event in happened:
            if (entry := self._registered.get(descriptor)) is not None:
                events.setdefault(entry[0], [0, 0])[entry[1]] |= event
            elif descriptor == wake:
                os.read(wake, 65536)
            elif (readable := self._watched.get(descriptor)) is not None:
                readable()
        for link, (on_wire, on_inner) in events.items():
            link.advance(on_wire, on_inner)
            self._settle(link)
        while self._jobs:
            self._jobs.popleft()()
        self._expire()

    def _take(self, link: Link) -> None:
        if not link.finished:
            self._handshakes[link] = monotonic() + self._handshake_seconds
            self._limit()
            link.advance(select.EPOLLIN if link.server else 0, 0)
        self._settle(link)

    def _limit(self) -> None:
        if len(self._handshakes) > self._most:
            oldest = next((link for link in self._handshakes if link.server), None)
            if oldest is not None:
                self._cancel(oldest, errno.ETIMEDOUT, "too many handshakes at once; the oldest has to go")

    def _cancel(self, link: Link, error: int, reason: str) -> None:
        link.fail(error, reason)
        self._settle(link)

    def _listen_to(self, descriptor: int, readable: Callable[[], None]) -> None:
        if descriptor not in self._watched and self._epoll is not None:
            self._epoll.register(descriptor, select.EPOLLIN)
        self._watched[descriptor] = readable

    def stop_listening(self, descriptor: int) -> None:
        """Undo `listen_to`; on the pump's thread."""
        if self._watched.pop(descriptor, None) is not None and self._epoll is not None:
            self._epoll.unregister(descriptor)

    def _settle(self, link: Link) -> None:
        """Bring epoll, limits and tables in line with what `link` is now."""
        if link.phase in (Phase.OPEN, Phase.DRAINING, Phase.CLOSED):
            self._handshakes.pop(link, None)
        if link.phase is Phase.DRAINING and link not in self._draining:
            self._draining[link] = monotonic() + DRAIN_SECONDS
        on_wire, on_inner = link.masks()
        self._listen(link, 0, link.wire.fileno(), on_wire)
        self._listen(link, 1, link.inner.fileno(), on_inner)
        if link.finished:
            link.inner.close()
            self._tell(link)
        if link.phase is Phase.CLOSED:
            link.dispose()
            self._links.pop(link, None)
            self._draining.pop(link, None)

    def _listen(self, link: Link, end: int, descriptor: int, mask: int | None) -> None:
        """Wait for `mask` on one end: 0 the wire, 1 the program's side; None not at all."""
        if self._epoll is None or descriptor < 0:
            return
        known = self._registered.get(descriptor) if link.registered[end] == descriptor else None
        if mask is None:
            if known is not None:
                link.registered[end] = -1
                del self._registered[descriptor]
                self._epoll.unregister(descriptor)
            return
        if known is None:
            self._epoll.register(descriptor, mask)
            link.registered[end] = descriptor
        elif known[2] == mask:
            return
        else:
            self._epoll.modify(descriptor, mask)
        self._registered[descriptor] = (link, end, mask)

    def _tell(self, link: Link) -> None:
        if link.reason is not None and not link.told:
            link.told = True
            self._report(link)

    def _patience(self) -> float:
        first = min((*_first(self._handshakes.values()), *_first(self._draining.values())), default=None)
        return -1 if first is None else max(0.0, first - monotonic())

    def _expire(self) -> None:
        if not self._handshakes and not self._draining:
            return
        now = monotonic()
        for link in _due(self._handshakes, now):
            self._cancel(link, errno.ETIMEDOUT, f"no TLS handshake within {self._handshake_seconds:g} s")
        surplus = list(self._draining)[: max(0, len(self._draining) - MAX_DRAINING)]
        for link in (*_due(self._draining, now), *surplus):
            link.close()
            self._settle(link)

    def _finish_all(self, links: list[Link]) -> None:
        for link in links:
            link.finish_now()
            self._settle(link)

    def _stop(self, stopped: object) -> None:
        for link in list(self._links):  # none but the last of the proof's, still draining
            link.close()
            self._settle(link)
        with self._lock:
            epoll, wake = self._epoll, self._wake
            self._epoll = self._wake = None
            self._running = False
            self._watched.clear()
            if epoll is not None:
                epoll.close()
            for descriptor in wake or ():
                os.close(descriptor)
        stopped.release()  # type: ignore[attr-defined]


def _poll_until(holds: Callable[[], bool], deadline: float) -> None:
    pause = new_poll()
    while not holds() and monotonic() < deadline:
        pause.poll(2)


def _first(deadlines: Iterable[float]) -> tuple[float, ...]:
    """Return the earliest: all waits are equally long, so tables are in order."""
    return next(((deadline,) for deadline in deadlines), ())


def _due(table: dict[Link, float], now: float) -> list[Link]:
    due = []
    for link, deadline in table.items():
        if deadline > now:
            break
        due.append(link)
    return due
