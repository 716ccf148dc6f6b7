"""Rules: who may call whom, on which ports."""

from dataclasses import dataclass
from typing import Final

from sealmesh.errors.policy import PolicyError

MESH: Final = "@mesh"
"""As caller: any Marble of this mesh. As callee: all of them."""

ANYONE: Final = "@anyone"
"""Any caller at all, also one that shows no certificate."""

MAX_RULES: Final = 10_000
"""Every new connection may look at all that concern the callee."""

MAX_NAMES: Final = 100_000
"""Callers over all rules: the policy is held by every Marble."""

MAX_RANGES: Final = 1000
"""In one set of ports; there are only 65535."""

FIRST_PORT: Final = 1
LAST_PORT: Final = 65535


@dataclass(frozen=True, slots=True, order=True)
class PortRange:
    """Ports `first` to `last`, both included.

    Raises:
        PolicyError: Not 1 <= first <= last <= 65535.
    """

    first: int
    last: int

    def __post_init__(self) -> None:
        if not FIRST_PORT <= self.first <= self.last <= LAST_PORT:
            raise PolicyError(
                "A range of ports is wrong",
                found=f"{self.first}-{self.last}",
                wanted="1 to 65535, low to high",
            )

    def __contains__(self, port: int) -> bool:
        return self.first <= port <= self.last

    def __str__(self) -> str:
        if (self.first, self.last) == (FIRST_PORT, LAST_PORT):
            return "any port"
        return f"port {self.first}" if self.first == self.last else f"ports {self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class PortSet:
    """Ports as ranges. Empty sets are refused: a rule for no port is a mistake, not a denial.

    Raises:
        PolicyError: There is no range, or more than `MAX_RANGES`.
    """

    ranges: tuple[PortRange, ...]

    def __post_init__(self) -> None:
        if not 0 < len(self.ranges) <= MAX_RANGES:
            raise PolicyError(
                "A rule names no ports, or too many", wanted=f"1 to {MAX_RANGES} ports or ranges"
            )

    def __contains__(self, port: int) -> bool:
        return any(port in ports for ports in self.ranges)

    def __str__(self) -> str:
        return ", ".join(str(ports) for ports in self.ranges)

    @classmethod
    def of(cls, *ports: int) -> "PortSet":
        """Return the set of single ports."""
        return cls(tuple(PortRange(port, port) for port in ports))


ALL_PORTS: Final = PortSet((PortRange(FIRST_PORT, LAST_PORT),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Callers `from_` may connect to Marbles of type `to` on `ports`.

    Attributes:
        from_: Marble types, `MESH` or `ANYONE`.
        to: A Marble type, or `MESH` for all types.

    Raises:
        PolicyError: Nobody is named, or the callee is `ANYONE`.
    """

    from_: frozenset[str]
    to: str
    ports: PortSet

    def __post_init__(self) -> None:
        if not self.from_ or not all(self.from_) or not self.to:
            raise PolicyError("A rule names nobody", wanted="callers in from, a Marble type in to")
        if self.to == ANYONE:
            raise PolicyError("A rule calls '@anyone'", wanted="a Marble type, or '@mesh'")
        unknown = sorted(
            name for name in (*self.from_, self.to) if name[0] == "@" and name not in (MESH, ANYONE)
        )
        if unknown:
            raise PolicyError(
                "A rule names a group that does not exist", found=unknown[0], wanted="@mesh, @anyone"
            )

    def __str__(self) -> str:
        return f"{', '.join(sorted(self.from_))} -> {self.to} on {self.ports}"


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """All rules, in the manifest's order. What no rule allows is refused; no rules refuse everything.

    Raises:
        PolicyError: More rules or names than the bounds of this module.
    """

    rules: tuple[Rule, ...]

    def __post_init__(self) -> None:
        if len(self.rules) > MAX_RULES or sum(len(rule.from_) for rule in self.rules) > MAX_NAMES:
            raise PolicyError(
                "There are too many rules", wanted=f"at most {MAX_RULES} with {MAX_NAMES} callers"
            )


UNRESTRICTED_MESH: Final = AccessPolicy((Rule(from_=frozenset({MESH}), to=MESH, ports=ALL_PORTS),))
"""For manifests without access rules: any Marble of this mesh may call any, on every port, nobody else."""
