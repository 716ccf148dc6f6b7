"""Addresses as programs and manifests write them, brought to one form.

A rule by name has to be found again when the program has resolved the name itself and connects to a number.
Resolving is not trusted: a wrong answer leads to a TLS handshake with somebody who has to show a Marble's
certificate, never to plaintext.
"""

import _socket
import ipaddress
from collections.abc import Callable, Sequence
from typing import Any, Final

from sealmesh.dataplane.original import SOCK_STREAM, monotonic

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

#: How long the addresses of a rule's name are used before they are asked for again.
_RESOLUTION_SECONDS: Final = 5.0


def parse_ip(host: str) -> IpAddress | None:
    """Return `host` as an address, or None where it is a name. IPv4 in IPv6 becomes IPv4."""
    try:
        address = ipaddress.ip_address(host.split("%", 1)[0].strip("[]"))
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address


def parse_destination(host: str) -> IpAddress | None:
    """Return where a connection to `host` goes: Linux takes the unspecified address for loopback."""
    address = parse_ip(host or "0.0.0.0")  # noqa: S104 - what an empty host means
    if address is not None and address.is_unspecified:
        return ipaddress.ip_address("127.0.0.1" if address.version == 4 else "::1")
    return address


class Resolver:
    """Remembers for a few seconds which addresses a rule's name stands for."""

    def __init__(self, lookup: Callable[..., Sequence[tuple[Any, ...]]] = _socket.getaddrinfo) -> None:
        self._lookup = lookup
        self._known: dict[str, tuple[float, frozenset[IpAddress]]] = {}

    def addresses(self, name: str) -> frozenset[IpAddress]:
        """Return what `name` resolves to now; nothing where it does not resolve."""
        now = monotonic()
        known = self._known.get(name)
        if known is not None and known[0] > now:
            return known[1]
        try:
            answers = self._lookup(name, None, 0, SOCK_STREAM)
        except (OSError, UnicodeError):
            return known[1] if known is not None else frozenset()
        found = frozenset(
            ip
            for answer in answers
            if isinstance(where := answer[4], tuple) and (ip := parse_ip(str(where[0])))
        )
        self._known[name] = (now + _RESOLUTION_SECONDS, found)
        return found
