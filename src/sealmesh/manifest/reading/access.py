"""Read access rules."""

import re

from sealmesh.manifest.json_values import JsonValue
from sealmesh.manifest.model import ALL_PORTS, AccessRule, PortRange
from sealmesh.manifest.reading.view import Reading, View
from sealmesh.manifest.report import Path, quoted
from sealmesh.manifest.shapes import ACCESS_RULE

_RANGE = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?\Z", re.ASCII)


def read_access_rule(reading: Reading, value: JsonValue, path: Path) -> AccessRule:
    """Read one rule; what is missing in it is reported."""
    view = View(reading, value, path, ACCESS_RULE)
    callers, to, ports = view.texts("From"), view.text("To"), view.texts("Ports")
    for name, given in (("From", callers), ("To", to), ("Ports", ports)):
        if not given:
            reading.report.add(
                "access.incomplete",
                view.at(name) if view.has(name) else path,
                f"The rule has no {name!r}.",
                remedy="A rule names callers (From), the callee (To) and ports (Ports).",
            )
    found = [_ports(reading, text, (*view.at("Ports"), index)) for index, text in enumerate(ports)]
    return AccessRule(from_=callers, to=to, ports=tuple(ports for ports in found if ports is not None))


def _ports(reading: Reading, text: str, path: Path) -> PortRange | None:
    if text == "*":
        return ALL_PORTS
    match = _RANGE.match(text)
    if match is not None:
        first = int(match[1])
        last = int(match[2] or first)
        if ALL_PORTS.first <= first <= last <= ALL_PORTS.last:
            return PortRange(first=first, last=last)
    reading.report.add(
        "access.bad-ports",
        path,
        f"{quoted(text)} is not a port or range of ports.",
        remedy='Write "8443", "8000-8010" or "*"; ports go from 1 to 65535.',
    )
    return None
