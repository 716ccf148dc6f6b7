"""Reading the values of settings. Each reader raises `ValueError` saying what it wants."""

import re
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
MAX_WORKERS = 256
MAX_LIMIT = 1_000_000
_SPAN = re.compile(r"([0-9]{1,6})([smh])")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Address:
    """A TCP address to listen on. An empty host means all interfaces, as in Go."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def loopback_only(self) -> bool:
        """Whether only this machine can connect."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def read_address(text: str) -> Address:
    """Read `HOST:PORT`, `[IPV6]:PORT` or `:PORT`."""
    host, colon, port = text.strip().rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError("HOST:PORT or :PORT")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("an IPv6 address in brackets, [::1]:2001")
    return Address(host, int(port))


def read_optional_address(text: str) -> Address | None:
    """Read an address, or nothing at all."""
    return read_address(text) if text.strip() else None


def read_list(text: str) -> tuple[str, ...]:
    """Read a comma list; blanks around entries and empty entries go."""
    return tuple(entry for entry in (part.strip() for part in text.split(",")) if entry)


def read_flag(text: str) -> bool:
    """Read `1`/`0` or `true`/`false`."""
    value = text.strip().lower()
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise ValueError("1 or 0")


def read_cpu(text: str) -> bool:
    """Read whether a process stays on one CPU."""
    if text.strip() not in ("one", "any"):
        raise ValueError("`one` or `any`")
    return text.strip() == "one"


def read_workers(text: str) -> int:
    """Read a number of processes."""
    return _read_number(text, MAX_WORKERS)


def read_limit(text: str) -> int:
    """Read how many of something there may be."""
    return _read_number(text, MAX_LIMIT)


def _read_number(text: str, most: int) -> int:
    if not text.strip().isdecimal() or not 1 <= int(text) <= most:
        raise ValueError(f"a number from 1 to {most}")
    return int(text)


def read_lifetime(text: str) -> timedelta:
    """Read a span such as `90s`, `30m` or `12h`, from a minute to a week."""
    found = _SPAN.fullmatch(text.strip())
    span = timedelta(seconds=int(found[1]) * _SECONDS[found[2]]) if found else timedelta()
    if not timedelta(minutes=1) <= span <= timedelta(days=7):
        raise ValueError("a span such as 90s, 30m or 12h, from 1m to 168h")
    return span


def read_path(text: str) -> Path:
    """Read a path."""
    return Path(text)


def read_optional_path(text: str) -> Path | None:
    """Read a path, or nothing at all."""
    return Path(text) if text else None


def read_paths(text: str) -> tuple[Path, ...]:
    """Read a comma list of paths."""
    return tuple(map(Path, read_list(text)))
