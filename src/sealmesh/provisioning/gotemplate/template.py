"""The public face: parse once, execute as often as needed, from any number of threads."""

from collections.abc import Mapping
from types import MappingProxyType

from sealmesh.provisioning.gotemplate.budget import ExecutionFailure, LimitFailure
from sealmesh.provisioning.gotemplate.builtins import BUILTINS
from sealmesh.provisioning.gotemplate.errors import (
    TemplateExecutionError,
    TemplateLimitError,
    TemplateSyntaxError,
)
from sealmesh.provisioning.gotemplate.executor import Body, Execution
from sealmesh.provisioning.gotemplate.nodes import Text
from sealmesh.provisioning.gotemplate.parser import ParseFailure, parse
from sealmesh.provisioning.gotemplate.values import Function, from_python

__all__ = ["Template"]

_NO_FUNCTIONS: Mapping[str, Function] = MappingProxyType({})


class Template:
    """A parsed template. Immutable."""

    __slots__ = ("_functions", "_name", "_source", "_trees")

    def __init__(
        self, source: str, name: bytes, trees: Mapping[bytes, Body], functions: Mapping[str, Function]
    ) -> None:
        self._source = source
        self._name = name
        self._trees = trees
        self._functions = functions

    @classmethod
    def parse(
        cls, text: str | bytes, *, functions: Mapping[str, Function] = _NO_FUNCTIONS, name: str = "data"
    ) -> "Template":
        """Return the template that `text` is; bytes that are not UTF-8 go through to the output.

        Args:
            text: The template.
            functions: Functions besides the builtins, which they may hide.
            name: What `{{template}}` inside calls this template.

        Raises:
            TemplateSyntaxError: The text is not a template.
        """
        raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        source = raw.decode("utf-8", "surrogateescape")
        known = {**BUILTINS, **functions}
        try:
            trees = parse(source, name=name.encode(), functions=known)
        except ParseFailure as error:
            line, column = _place(source, error.offset)
            raise TemplateSyntaxError(error.message, line=line, column=column) from None
        except RecursionError:
            raise TemplateSyntaxError("nested too deep", line=1, column=1) from None
        return cls(source, name.encode(), MappingProxyType(trees), MappingProxyType(known))

    @property
    def trees(self) -> Mapping[bytes, Body]:
        """The parse tree of each template in the text, by name."""
        return self._trees

    @property
    def constant(self) -> bytes | None:
        """The output, where no action is in the template; None otherwise."""
        body = self._trees[self._name]
        if all(isinstance(node, Text) for node in body):
            return b"".join(node.data for node in body if isinstance(node, Text))
        return None

    def place(self, offset: int) -> tuple[int, int]:
        """Return line and column (both from 1) of a node's offset."""
        return _place(self._source, offset)

    def execute(self, data: object) -> bytes:
        """Return the output over `data` (see `values.from_python`).

        Raises:
            TemplateExecutionError: The data does not fit, a function refuses; TemplateLimitError: a limit
                was passed.
        """
        try:
            return Execution(self._trees, self._functions).run(self._name, from_python(data))
        except LimitFailure as error:
            line, column = _place(self._source, error.offset)
            raise TemplateLimitError(error.message, line=line, column=column) from None
        except ExecutionFailure as error:
            line, column = _place(self._source, error.offset)
            raise TemplateExecutionError(error.message, line=line, column=column) from None


def _place(source: str, offset: int) -> tuple[int, int]:
    line = source.count("\n", 0, offset) + 1
    return line, offset - (source.rfind("\n", 0, offset) + 1) + 1
