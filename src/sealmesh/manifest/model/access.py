"""Access rules: who may call whom."""

from dataclasses import dataclass

MESH = "@mesh"
"""Any Marble of this mesh, whatever its type."""
ANYONE = "@anyone"
"""Anybody, also without a certificate."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PortRange:
    """Ports `first` to `last`, both included, 1 to 65535."""

    first: int
    last: int


ALL_PORTS = PortRange(first=1, last=65535)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRule:
    """Callers `from_` may connect to Marbles of type `to` on `ports`.

    Attributes:
        from_: Marble types, `@mesh` or `@anyone`; never empty.
        to: A Marble type, or `@mesh` for all of them.
        ports: Never empty; `*` is `ALL_PORTS`.
    """

    from_: tuple[str, ...]
    to: str
    ports: tuple[PortRange, ...]
