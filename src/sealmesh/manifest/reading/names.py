"""Read the names that a Marble's certificate may carry."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from sealmesh.manifest.model import IpAddress, Names
from sealmesh.manifest.reading.view import Reading, View
from sealmesh.manifest.report import Path, quoted

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\Z")
_MAX_DNS_NAME = 253


def parse_address(text: str) -> IpAddress | None:
    """Return an address, None where `text` is none; IPv4-mapped IPv6 addresses become IPv4, as in Go."""
    if "%" in text:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return IPv4Address(address.ipv4_mapped)
    return address


def is_dns_name(name: str) -> bool:
    """Tell whether `name`, in lower case, is a DNS name without wildcard (RFC 1123, with `_`)."""
    return 0 < len(name) <= _MAX_DNS_NAME and all(_LABEL.match(label) for label in name.split("."))


def read_names(reading: Reading, marble: View) -> Names:
    """Read `Names`: whatever is an address is one, the rest are DNS names in lower case."""
    dns: dict[str, None] = {}
    ips: dict[IpAddress, None] = {}
    for index, text in enumerate(marble.texts("Names")):
        address = parse_address(text)
        if address is not None:
            ips[address] = None
            continue
        name = text.lower()
        if is_dns_name(name):
            dns[name] = None
        else:
            _refuse(reading, (*marble.at("Names"), index), text)
    return Names(dns=tuple(dns), ips=tuple(ips))


def _refuse(reading: Reading, path: Path, text: str) -> None:
    wildcard = "*" in text
    reading.report.add(
        "names.wildcard" if wildcard else "names.not-a-name",
        path,
        f"{quoted(text)} is {'a wildcard' if wildcard else 'neither a DNS name nor an address'}.",
        remedy="Name each host: a wildcard would cover the names of other Marbles." if wildcard else "",
    )
