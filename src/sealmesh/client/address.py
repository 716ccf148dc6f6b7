"""Addresses of Coordinators and Marbles: HOST:PORT."""

from dataclasses import dataclass

from sealmesh.errors.client import AddressError

DEFAULT_CLIENT_PORT = 4433


@dataclass(frozen=True, slots=True)
class Address:
    """A host name or IP address and a TCP port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The address as an https URL without a path."""
        return f"https://{self}"


def parse_address(text: str) -> Address:
    """Return the address in `HOST:PORT`, `[IPv6]:PORT` or `https://HOST:PORT`; the port defaults to 4433.

    Raises:
        AddressError: It is none of these.
    """
    rest = text.removeprefix("https://").removesuffix("/")
    if rest.startswith("["):
        host, closed, tail = rest[1:].partition("]")
        separator, port = tail[:1], tail[1:]
        if not closed or separator not in ("", ":"):
            raise AddressError("not an address", found=repr(text[:100]))
    else:
        host, separator, port = rest.partition(":")
    if not host or any(c.isspace() or c in "/?#@" for c in rest) or (separator and not port):
        raise AddressError("not an address", found=repr(text[:100]))
    if not port:
        return Address(host, DEFAULT_CLIENT_PORT)
    if not (port.isascii() and port.isdigit()) or not 0 < int(port[:6]) < 65536:
        raise AddressError("not a port", found=repr(port[:20]), wanted="1 to 65535")
    return Address(host, int(port))
