"""Which secrets a template can look at, known from its parse tree alone.

The answer may name too many, never too few. What it looks for are paths that end in a name under `.Secrets`
(`.Secrets.k`, `$.Previous.Secrets.k`, `index .Secrets "k"`); wherever a whole map of secrets, or something
that has one inside, is used in another way (`range .Secrets`, `$x := .`), it says ALL.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final

from sealmesh.provisioning.gotemplate import nodes
from sealmesh.provisioning.gotemplate.template import Template

__all__ = ["ALL", "All", "Needed", "merged", "needed_by"]


class All(Enum):
    """The type of `ALL`."""

    ALL = "all"


ALL: Final = All.ALL
"""Every secret of the manifest."""
Needed = frozenset[str] | All
#: Names under the data root that have a map of secrets inside.
_HOLDERS = frozenset(["Previous", "SecretsWrapper"])
_MAP = "Secrets"


def merged(parts: Iterable[Needed]) -> Needed:
    """Return everything that any of `parts` needs."""
    names: frozenset[str] = frozenset()
    for part in parts:
        if isinstance(part, All):
            return ALL
        names |= part
    return names


def needed_by(template: Template) -> Needed:
    """Return the secrets, current and previous ones alike, that `template` can look at."""
    survey = _Survey()
    for body in template.trees.values():
        survey.body(body)
    return ALL if survey.all else frozenset(survey.names)


class _Survey:
    """Collects names. The cursor is taken for the data root everywhere: that can only add names."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.all = False

    def body(self, body: Iterable[nodes.Node]) -> None:
        for node in body:
            match node:
                case nodes.Action(_, pipe):
                    self._pipe(pipe)
                case nodes.Conditional(_, rebinds, branches, otherwise):
                    for branch in branches:
                        self._pipe(branch.pipe, hands_on=rebinds)
                        self.body(branch.body)
                    self.body(otherwise)
                case nodes.Range(_, pipe, body_, otherwise):
                    self._pipe(pipe)
                    self.body(body_)
                    self.body(otherwise)
                case nodes.Call(_, _, pipe):
                    if pipe is not None:
                        self._pipe(pipe, hands_on=True)

    def _pipe(self, pipe: nodes.Pipe, *, hands_on: bool = False) -> None:
        """Look at a pipeline; with `hands_on` its value is the cursor of a body that is looked at too."""
        only = len(pipe.commands) == 1 and not pipe.declared
        for command in pipe.commands:
            self._command(command, hands_on=hands_on and only)

    def _command(self, command: nodes.Command, *, hands_on: bool) -> None:
        operands = (command.first, *command.arguments)
        if self._is_index(command):
            key = command.arguments[1]
            if isinstance(key, nodes.Constant) and isinstance(key.value, bytes):
                self.names.add(key.value.decode("utf-8", "surrogateescape"))
                operands = command.arguments[2:]
        for operand in operands:
            self._operand(operand, hands_on=hands_on and not command.arguments)

    @staticmethod
    def _is_index(command: nodes.Command) -> bool:
        if not isinstance(command.first, nodes.Identifier) or command.first.name != "index":
            return False
        return len(command.arguments) > 1 and _path(command.arguments[0])[-1:] == (_MAP,)

    def _operand(self, operand: nodes.Operand, *, hands_on: bool) -> None:
        match operand:
            case nodes.Pipe():
                self._pipe(operand, hands_on=hands_on)
                return
            case nodes.Dot():
                self.all = self.all or not hands_on
                return
            case nodes.Chain(_, inner, _):
                # Whatever is inside only hands its value on to the names that follow.
                self._operand(inner, hands_on=True)
        self._names(operand, _path(operand), hands_on=hands_on)

    def _names(self, operand: nodes.Operand, path: tuple[str, ...], *, hands_on: bool) -> None:
        if isinstance(operand, nodes.Variable) and operand.name == "$" and not path:
            self.all = self.all or not hands_on
        found = False
        for place, name in enumerate(path):
            if name == _MAP and place + 1 < len(path):
                self.names.add(path[place + 1])
                found = True
        if not path or found:
            return
        if path[-1] == _MAP or (path[-1] in _HOLDERS and not hands_on):
            self.all = True


def _path(operand: nodes.Operand) -> tuple[str, ...]:
    match operand:
        case nodes.Field(_, names) | nodes.Variable(_, _, names) | nodes.Chain(_, _, names):
            return names
    return ()


def known(needed: Needed, defined: Mapping[str, object]) -> frozenset[str]:
    """Return the names among `defined` that are needed."""
    return frozenset(defined) if isinstance(needed, All) else needed & defined.keys()
