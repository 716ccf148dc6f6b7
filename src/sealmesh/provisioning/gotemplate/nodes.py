"""The parse tree of a template. Immutable, so one tree serves any number of executions at once.

`offset` is the position in the decoded template text; `Template` turns it into line and column.
"""

from dataclasses import dataclass

__all__ = [
    "Action",
    "Bool",
    "Branch",
    "Break",
    "Call",
    "Chain",
    "Command",
    "Conditional",
    "Constant",
    "Continue",
    "Dot",
    "Field",
    "Identifier",
    "Nil",
    "Node",
    "Operand",
    "Pipe",
    "Range",
    "Text",
    "Variable",
]


@dataclass(frozen=True, slots=True)
class Dot:
    """The cursor, `.`."""

    offset: int


@dataclass(frozen=True, slots=True)
class Nil:
    """The untyped constant `nil`."""

    offset: int


@dataclass(frozen=True, slots=True)
class Bool:
    """`true` or `false`."""

    offset: int
    value: bool


@dataclass(frozen=True, slots=True)
class Constant:
    """A string (bytes), or a number with Go's type for it: int, float64 or complex128.

    `overflows` marks an integer that only fits an unsigned 64-bit type, which no template can use.
    """

    offset: int
    value: bytes | int | float | complex
    text: str
    overflows: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """`.A.B`: fields or keys looked up from the cursor."""

    offset: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """`$x.A.B`, with the dollar sign in `name`."""

    offset: int
    name: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Identifier:
    """The name of a function."""

    offset: int
    name: str


@dataclass(frozen=True, slots=True)
class Chain:
    """`(pipeline).A.B` or `function.A`."""

    offset: int
    operand: "Operand"
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Command:
    """One stage of a pipeline: a first operand and its arguments."""

    offset: int
    first: "Operand"
    arguments: tuple["Operand", ...]


@dataclass(frozen=True, slots=True)
class Pipe:
    """`$a, $b := command | command`."""

    offset: int
    commands: tuple[Command, ...]
    declared: tuple[str, ...] = ()
    assigns: bool = False


Operand = Dot | Nil | Bool | Constant | Field | Variable | Identifier | Chain | Pipe


@dataclass(frozen=True, slots=True)
class Text:
    """Bytes that go to the output as they are."""

    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Action:
    """`{{ pipeline }}`."""

    offset: int
    pipe: Pipe


@dataclass(frozen=True, slots=True)
class Branch:
    """One condition and what it guards."""

    pipe: Pipe
    body: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Conditional:
    """`if` or `with`, its `else if` or `else with` branches, and `else`."""

    offset: int
    rebinds: bool
    """True for `with`: the cursor becomes the value inside the branch."""
    branches: tuple[Branch, ...]
    otherwise: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Range:
    """`range`, its body, and `else` for an empty collection."""

    offset: int
    pipe: Pipe
    body: tuple["Node", ...]
    otherwise: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Call:
    """`template "name" pipeline`."""

    offset: int
    name: bytes
    pipe: Pipe | None


@dataclass(frozen=True, slots=True)
class Break:
    """Leave the innermost `range`."""

    offset: int


@dataclass(frozen=True, slots=True)
class Continue:
    """Go on with the next element of the innermost `range`."""

    offset: int


Node = Text | Action | Conditional | Range | Call | Break | Continue
