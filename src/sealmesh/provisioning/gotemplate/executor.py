"""Walk a parse tree over data and collect the output.

One `Execution` serves one execution. Bounds, so that no template can take the Coordinator down: output
bytes (`MAX_OUTPUT`), depth (`MAX_DEPTH`) and work (`MAX_WORK`).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from sealmesh.provisioning.gotemplate import nodes
from sealmesh.provisioning.gotemplate.builtins import MAX_OUTPUT
from sealmesh.provisioning.gotemplate.comparison import is_true
from sealmesh.provisioning.gotemplate.errors import FunctionError, TextTooLongError
from sealmesh.provisioning.gotemplate.format import sprint
from sealmesh.provisioning.gotemplate.format.printer import sorted_keys
from sealmesh.provisioning.gotemplate.values import (
    NO_VALUE,
    ByteSlice,
    Function,
    Integer,
    Map,
    NoValue,
    Parameter,
    Slice,
    Struct,
    Value,
    type_name,
)

__all__ = ["MAX_DEPTH", "MAX_WORK", "Execution", "ExecutionFailure", "LimitFailure"]

#: Templates, control structures and parentheses inside each other. Reason: Python's stack; Go allows 100000
#: templates, which nobody but an endless recursion reaches.
MAX_DEPTH = 100
#: Steps of one execution; a node, a turn of a loop and each 256 bytes given to or returned by a function cost
#: one. Reason: about half a second of one core, while an activation takes milliseconds.
MAX_WORK = 200_000
_BYTES_PER_STEP = 256


class _Missing:
    """The type of the marker for "nothing was piped in"."""


_MISSING: Final = _Missing()
_Piped = Value | _Missing
Body = tuple[nodes.Node, ...]


class ExecutionFailure(Exception):
    """What went wrong and where; `Template` turns the offset into line and column."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class LimitFailure(ExecutionFailure):
    """A named limit was passed."""


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class Execution:
    """One run of one template.

    Args:
        trees: All templates by name.
        functions: Builtins and the caller's own.
    """

    def __init__(self, trees: Mapping[bytes, Body], functions: Mapping[str, Function]) -> None:
        self._trees = trees
        self._functions = functions
        self._output: list[bytes] = []
        self._room = MAX_OUTPUT
        self._work = MAX_WORK
        self._depth = 0
        self._variables: list[tuple[str, Value]] = []

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

    # -- bounds -----------------------------------------------------------------------------------------

    def _spend(self, steps: int, offset: int) -> None:
        self._work -= steps
        if self._work < 0:
            raise LimitFailure(f"more than {MAX_WORK} steps", offset)

    def _deeper(self, offset: int) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise LimitFailure(
                f"templates, control structures and parentheses more than {MAX_DEPTH} deep", offset
            )

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
            self._spend(len(shown) // _BYTES_PER_STEP, node.offset)
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

    # -- variables --------------------------------------------------------------------------------------

    def _get(self, name: str, offset: int) -> Value:
        for known, value in reversed(self._variables):
            if known == name:
                return value
        raise ExecutionFailure(f"undefined variable: {ascii(name)[1:-1]}", offset)

    def _set(self, name: str, value: Value, offset: int) -> None:
        for position in range(len(self._variables) - 1, -1, -1):
            if self._variables[position][0] == name:
                self._variables[position] = (name, value)
                return
        raise ExecutionFailure(f"undefined variable: {ascii(name)[1:-1]}", offset)

    # -- pipelines --------------------------------------------------------------------------------------

    def _pipe(self, pipe: nodes.Pipe, dot: Value) -> Value:
        value: _Piped = _MISSING
        for command in pipe.commands:
            value = self._command(command, dot, value)
            if value is None:
                value = NO_VALUE  # nil leaves its interface
        if isinstance(value, _Missing):
            raise AssertionError("the parser refuses empty pipelines")
        for name in pipe.declared:
            if pipe.assigns:
                self._set(name, value, pipe.offset)
            else:
                self._variables.append((name, value))
        return value

    def _command(self, command: nodes.Command, dot: Value, piped: _Piped) -> Value:
        first = command.first
        if type(first) is nodes.Identifier:
            return self._invoke(
                self._functions[first.name], first.name, command.arguments, dot, piped, first.offset
            )
        if type(first) is nodes.Field:
            return self._fields(dot, first.names, dot, command.arguments, piped, first.offset)
        if type(first) is nodes.Variable:
            value = self._get(first.name, first.offset)
            if first.names:
                return self._fields(value, first.names, dot, command.arguments, piped, first.offset)
        elif type(first) is nodes.Chain:
            value = self._chain_operand(first, dot)
            return self._fields(value, first.names, dot, command.arguments, piped, first.offset)
        if command.arguments or not isinstance(piped, _Missing):
            raise ExecutionFailure("can't give an argument to something that is not a function", first.offset)
        if type(first) is nodes.Nil:
            raise ExecutionFailure("nil is not a command", first.offset)
        return self._operand(first, dot)

    def _chain_operand(self, chain: nodes.Chain, dot: Value) -> Value:
        if isinstance(chain.operand, nodes.Nil):
            raise ExecutionFailure("indirection through explicit nil", chain.offset)
        return self._operand(chain.operand, dot)

    def _operand(self, operand: nodes.Operand, dot: Value) -> Value:
        """Return the value of an operand that gets no arguments."""
        kind = type(operand)
        if kind is nodes.Field:
            return self._fields(dot, operand.names, dot, (), _MISSING, operand.offset)  # type: ignore[union-attr]
        if kind is nodes.Constant:
            return self._constant(operand)  # type: ignore[arg-type]
        match operand:
            case nodes.Dot():
                return dot
            case nodes.Variable(offset, name, names):
                value = self._get(name, offset)
                return self._fields(value, names, dot, (), _MISSING, offset) if names else value
            case nodes.Pipe():
                self._deeper(operand.offset)
                value = self._pipe(operand, dot)
                self._depth -= 1
                return value
            case nodes.Bool():
                return operand.value
            case nodes.Nil():
                return None
            case nodes.Identifier(offset, name):
                return self._invoke(self._functions[name], name, (), dot, _MISSING, offset)
            case nodes.Chain(offset, _, names):
                return self._fields(self._chain_operand(operand, dot), names, dot, (), _MISSING, offset)
        raise AssertionError(operand)

    def _constant(self, constant: nodes.Constant) -> Value:
        if constant.overflows:
            raise ExecutionFailure(f"{constant.text} overflows int", constant.offset)
        return constant.value

    # -- fields -----------------------------------------------------------------------------------------

    def _fields(
        self,
        value: Value,
        names: tuple[str, ...],
        dot: Value,
        arguments: tuple[nodes.Operand, ...],
        piped: _Piped,
        offset: int,
    ) -> Value:
        last = len(names) - 1
        for position, name in enumerate(names):
            if isinstance(value, NoValue):
                return NO_VALUE
            if isinstance(value, Struct):
                method = value.method(name)
                if method is not None:
                    given = (arguments, piped) if position == last else ((), _MISSING)
                    value = self._invoke(method, name, given[0], dot, given[1], offset)
                    continue
            value = self._field(value, name, offset)
            if position == last and (arguments or not isinstance(piped, _Missing)):
                raise ExecutionFailure(f"{ascii(name)[1:-1]} has arguments but is not a method", offset)
        return value

    def _field(self, value: Value, name: str, offset: int) -> Value:
        if isinstance(value, Struct):
            try:
                return value.get(name)
            except KeyError:
                pass
            except FunctionError as error:
                raise ExecutionFailure(f"error reading {ascii(name)[1:-1]}: {error}", offset) from None
        elif isinstance(value, Map) and value.go_type.startswith("map[string]"):
            return value.lookup(name.encode())
        elif value is None:
            raise ExecutionFailure(f"nil pointer evaluating interface {{}}.{ascii(name)[1:-1]}", offset)
        raise ExecutionFailure(f"can't evaluate field {ascii(name)[1:-1]} in type {type_name(value)}", offset)

    # -- calls ------------------------------------------------------------------------------------------

    def _invoke(
        self,
        function: Function,
        name: str,
        arguments: tuple[nodes.Operand, ...],
        dot: Value,
        piped: _Piped,
        offset: int,
    ) -> Value:
        given = len(arguments) + (not isinstance(piped, _Missing))
        fixed = len(function.parameters)
        if given < fixed or (given > fixed and function.variadic is None):
            want = f"at least {fixed}" if function.variadic else str(fixed)
            raise ExecutionFailure(f"wrong number of args for {name}: want {want} got {given}", offset)
        if function.lazy:
            return self._lazily(function.lazy, arguments, dot, piped)
        values = []
        for position, argument in enumerate(arguments):
            kind = function.parameters[position] if position < fixed else function.variadic
            values.append(self._argument(argument, dot, kind or Parameter.ANY))
        if not isinstance(piped, _Missing):
            kind = function.parameters[given - 1] if given <= fixed else function.variadic
            values.append(_checked(piped, kind or Parameter.ANY, offset))
        return self._called(function.call, name, values, offset)

    def _called(self, call: Callable[..., Value], name: str, values: list[Value], offset: int) -> Value:
        try:
            result = call(*values)
        except TextTooLongError as error:
            raise LimitFailure(f"error calling {name}: {error}", offset) from None
        except FunctionError as error:
            raise ExecutionFailure(f"error calling {name}: {error}", offset) from None
        steps = 1
        for value in (*values, result):
            if type(value) is bytes:
                steps += len(value) // _BYTES_PER_STEP
            elif type(value) is ByteSlice:
                steps += len(value.data) // _BYTES_PER_STEP
        self._spend(steps, offset)
        return result

    def _lazily(self, name: str, arguments: tuple[nodes.Operand, ...], dot: Value, piped: _Piped) -> Value:
        value: Value = NO_VALUE
        for argument in arguments:
            value = self._argument(argument, dot, Parameter.VALUE)
            if is_true(value) == (name == "or"):
                return value
        return value if isinstance(piped, _Missing) else piped

    def _argument(self, argument: nodes.Operand, dot: Value, kind: str) -> Value:
        if type(argument) is nodes.Nil:
            if kind in (Parameter.STRING, Parameter.INT):
                raise ExecutionFailure(f"cannot assign nil to {kind}", argument.offset)
            return None if kind == Parameter.ANY else NO_VALUE
        return _checked(self._operand(argument, dot), kind, argument.offset)


def _checked(value: Value, kind: str, offset: int) -> Value:
    """Refuse a value that does not fit a parameter; no value becomes nil where anything is taken."""
    if kind == Parameter.ANY:
        return None if isinstance(value, NoValue) else value
    if kind != Parameter.VALUE and type_name(value) != kind:
        raise ExecutionFailure(f"wrong type for value; expected {kind}; got {type_name(value)}", offset)
    return value


_WALKERS: Final[Mapping[type, Callable[..., None]]] = {
    nodes.Text: Execution._text,
    nodes.Action: Execution._action,
    nodes.Conditional: Execution._conditional,
    nodes.Range: Execution._range,
    nodes.Call: Execution._template,
    nodes.Break: Execution._break,
    nodes.Continue: Execution._continue,
}
