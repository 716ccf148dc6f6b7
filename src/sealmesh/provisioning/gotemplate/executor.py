"""Walk a parse tree over data and collect the output. One `Execution` serves one execution."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from sealmesh.provisioning.gotemplate import nodes
from sealmesh.provisioning.gotemplate.budget import ExecutionFailure, LimitFailure, size_in_steps
from sealmesh.provisioning.gotemplate.builtins import MAX_OUTPUT
from sealmesh.provisioning.gotemplate.comparison import is_true
from sealmesh.provisioning.gotemplate.errors import FunctionError, TextTooLongError
from sealmesh.provisioning.gotemplate.evaluation import Evaluation
from sealmesh.provisioning.gotemplate.format import sprint
from sealmesh.provisioning.gotemplate.format.printer import sorted_keys
from sealmesh.provisioning.gotemplate.values import (
    NO_VALUE,
    ByteSlice,
    Function,
    Integer,
    Map,
    NoValue,
    Slice,
    Value,
    type_name,
)

__all__ = ["Body", "Execution"]

Body = tuple[nodes.Node, ...]


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class Execution(Evaluation):
    """One run of one template.

    Args:
        trees: All templates by name.
        functions: Builtins and the caller's own.
    """

    def __init__(self, trees: Mapping[bytes, Body], functions: Mapping[str, Function]) -> None:
        super().__init__(functions)
        self._trees = trees
        self._output: list[bytes] = []
        self._room = MAX_OUTPUT

    def run(self, name: bytes, data: Value) -> bytes:
        """Return the output of template `name` over `data`.

        Raises:
            ExecutionFailure: Data and template do not fit, or (LimitFailure) a limit was passed.
        """
        self._variables = [("$", data)]
        try:
            self._walk(self._trees[name], data)
        except RecursionError:
            raise LimitFailure("nested too deep", 0) from None
        except FunctionError as error:  # from a map or struct that makes its values on demand
            raise ExecutionFailure(str(error), 0) from None
        return b"".join(self._output)

    def _write(self, data: bytes, offset: int) -> None:
        self._room -= len(data)
        if self._room < 0:
            raise LimitFailure(f"more than {MAX_OUTPUT} bytes of output", offset)
        self._output.append(data)

    # -- nodes ------------------------------------------------------------------------------------------

    def _walk(self, body: Body, dot: Value) -> None:
        for node in body:
            self._spend(1, node.offset)
            _WALKERS[type(node)](self, node, dot)

    def _text(self, node: nodes.Text, dot: Value) -> None:
        self._write(node.data, node.offset)

    def _action(self, node: nodes.Action, dot: Value) -> None:
        value = self._pipe(node.pipe, dot)
        if node.pipe.declared:
            return
        if type(value) is bytes:
            self._write(value, node.offset)
        elif isinstance(value, NoValue):
            self._write(b"<no value>", node.offset)
        else:
            try:
                shown = sprint((value,), self._room)
            except TextTooLongError:
                raise LimitFailure(f"more than {MAX_OUTPUT} bytes of output", node.offset) from None
            except FunctionError as error:
                raise ExecutionFailure(str(error), node.offset) from None
            self._spend(size_in_steps(shown), node.offset)
            self._write(shown, node.offset)

    def _conditional(self, node: nodes.Conditional, dot: Value) -> None:
        self._deeper(node.offset)
        mark = len(self._variables)
        for branch in node.branches:
            value = self._pipe(branch.pipe, dot)
            if is_true(value):
                self._walk(branch.body, value if node.rebinds else dot)
                break
        else:
            self._walk(node.otherwise, dot)
        del self._variables[mark:]
        self._depth -= 1

    def _range(self, node: nodes.Range, dot: Value) -> None:
        self._deeper(node.offset)
        mark, depth = len(self._variables), self._depth
        value = self._pipe(node.pipe, dot)
        inner = len(self._variables)
        turned = False
        try:
            for key, item in self._turns(value, node):
                turned = True
                self._spend(1, node.offset)
                self._assign_turn(node.pipe, key, item)
                try:
                    self._walk(node.body, item)
                except _Continue:
                    self._depth = depth
                del self._variables[inner:]
            if not turned:
                self._walk(node.otherwise, dot)
        except _Break:  # also one in the `else` part: Go takes it for this loop's
            self._depth = depth
        del self._variables[mark:]
        self._depth -= 1

    def _turns(self, value: Value, node: nodes.Range) -> Iterable[tuple[Value, Value]]:
        match value:
            case bool():
                pass
            case int() | Integer():
                return self._count(value, node)
            case Slice():
                return enumerate(value.items)
            case ByteSlice():
                items = (Integer(byte, "uint8", unsigned=True) for byte in value.data)
                return enumerate(items)
            case Map():
                return ((key, value.lookup(key)) for key in sorted_keys(value))
            case NoValue():
                return ()
        raise ExecutionFailure(
            f"range can't iterate over a value of type {type_name(value)}", node.pipe.offset
        )

    @staticmethod
    def _count(value: int | Integer, node: nodes.Range) -> Iterable[tuple[Value, Value]]:
        if len(node.pipe.declared) > 1:
            raise ExecutionFailure("range over an integer gives one variable only", node.pipe.offset)
        if isinstance(value, Integer):
            made = (Integer(turn, value.go_type, value.unsigned) for turn in range(value.value))
            return ((NO_VALUE, turn) for turn in made)
        return ((NO_VALUE, turn) for turn in range(value))

    def _assign_turn(self, pipe: nodes.Pipe, key: Value, item: Value) -> None:
        if not pipe.declared:
            return
        names = pipe.declared
        values = (key, item) if len(names) > 1 else (item,)
        for name, value in zip(names, values, strict=True):
            if pipe.assigns:
                self._set(name, value, pipe.offset)
            else:
                self._variables.append((name, value))

    def _template(self, node: nodes.Call, dot: Value) -> None:
        body = self._trees.get(node.name)
        if body is None:
            raise ExecutionFailure(
                f"template {node.name.decode(errors='replace')!r} not defined", node.offset
            )
        self._deeper(node.offset)
        value = NO_VALUE if node.pipe is None else self._pipe(node.pipe, dot)
        outer, self._variables = self._variables, [("$", value)]
        self._walk(body, value)
        self._variables = outer
        self._depth -= 1

    def _break(self, node: nodes.Break, dot: Value) -> None:
        raise _Break

    def _continue(self, node: nodes.Continue, dot: Value) -> None:
        raise _Continue


_WALKERS: Final[Mapping[type, Callable[..., None]]] = {
    nodes.Text: Execution._text,
    nodes.Action: Execution._action,
    nodes.Conditional: Execution._conditional,
    nodes.Range: Execution._range,
    nodes.Call: Execution._template,
    nodes.Break: Execution._break,
    nodes.Continue: Execution._continue,
}
