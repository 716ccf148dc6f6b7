"""What access rules really allow: edges, and rules that change nothing."""

from collections.abc import Iterator

from sealmesh.manifest.model import ALL_PORTS, ANYONE, MESH, AccessRule, Manifest, PortRange

_COMPARED = 500  # earlier rules that each rule is compared with: the time grows with the square


def unreachable_rules(manifest: Manifest) -> Iterator[tuple[int, str]]:
    """Yield rules that never decide anything, with the reason.

    Compared with each earlier rule alone: two rules that together cover a third are not found.
    """
    by_callee: dict[str, list[tuple[int, AccessRule]]] = {}
    for index, rule in enumerate(manifest.access or ()):
        earlier = [*by_callee.get(rule.to, ()), *(by_callee.get(MESH, ()) if rule.to != MESH else ())]
        cover = next((at for at, other in earlier[:_COMPARED] if _covers(other, rule)), None)
        if cover is not None:
            yield index, f"Access[{cover}] already allows all of this."
        elif not _listens(manifest, rule):
            yield index, f"{rule.to!r} listens on none of these ports, as far as its TLS tags say."
        by_callee.setdefault(rule.to, []).append((index, rule))


def _covers(wide: AccessRule, narrow: AccessRule) -> bool:
    callers = ANYONE in wide.from_ or all(
        caller in wide.from_ or (MESH in wide.from_ and caller != ANYONE) for caller in narrow.from_
    )
    return callers and all(
        any(have.first <= want.first and want.last <= have.last for have in wide.ports)
        for want in narrow.ports
    )


def _listens(manifest: Manifest, rule: AccessRule) -> bool:
    ports = incoming_ports(manifest, rule.to) if rule.to != MESH else set()
    return not ports or any(any(want.first <= port <= want.last for want in rule.ports) for port in ports)


def incoming_ports(manifest: Manifest, marble_type: str) -> set[int]:
    """Return the numeric ports on which a Marble type's TLS tags let it listen."""
    marble = manifest.marbles[marble_type]
    texts = {entry.port for tag in marble.tls for entry in manifest.tls[tag].incoming}
    return {int(text) for text in texts if text.isascii() and text.isdigit() and len(text) <= 5}


def edges(manifest: Manifest) -> dict[tuple[str, str], tuple[PortRange, ...]]:
    """Return who may call whom on which ports, one entry per pair, ports merged.

    `@mesh` and `@anyone` stay as callers; a callee `@mesh` becomes one entry per Marble type. Without
    the Access gate every Marble may call every other.
    """
    rules = manifest.access
    if rules is None:
        rules = (AccessRule(from_=(MESH,), to=MESH, ports=(ALL_PORTS,)),)
    found: dict[tuple[str, str], list[PortRange]] = {}
    for rule in rules:
        for callee in manifest.marbles if rule.to == MESH else (rule.to,):
            for caller in rule.from_:
                found.setdefault((caller, callee), []).extend(rule.ports)
    return {pair: merge_ranges(ports) for pair, ports in sorted(found.items())}


def merge_ranges(ranges: list[PortRange]) -> tuple[PortRange, ...]:
    """Return the same ports as few ranges in order."""
    merged: list[PortRange] = []
    for ports in sorted(ranges):
        if merged and ports.first <= merged[-1].last + 1:
            merged[-1] = PortRange(first=merged[-1].first, last=max(merged[-1].last, ports.last))
        else:
            merged.append(ports)
    return tuple(merged)
