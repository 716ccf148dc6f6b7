"""Evaluate pipelines, fields and calls over data."""

from collections.abc import Callable, Mapping
from typing import Final

from sealmesh.provisioning.gotemplate import nodes
from sealmesh.provisioning.gotemplate.budget import Budget, ExecutionFailure, LimitFailure, size_in_steps
from sealmesh.provisioning.gotemplate.comparison import is_true
from sealmesh.provisioning.gotemplate.errors import FunctionError, TextTooLongError
from sealmesh.provisioning.gotemplate.values import (
    NO_VALUE,
    Function,
    Map,
    NoValue,
    Parameter,
    Struct,
    Value,
    type_name,
)

__all__ = ["Evaluation"]


class _Missing:
    """The type of the marker for "nothing was piped in"."""


_MISSING: Final = _Missing()
_Piped = Value | _Missing


class Evaluation(Budget):
    """Values of pipelines; holds the variables in scope."""

    def __init__(self, functions: Mapping[str, Function]) -> None:
        super().__init__()
        self._functions = functions
        self._variables: list[tuple[str, Value]] = []

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
        self._spend(1 + sum(map(size_in_steps, (*values, result))), offset)
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
