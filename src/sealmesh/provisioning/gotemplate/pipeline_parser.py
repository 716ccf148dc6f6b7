"""The part of the grammar between the delimiters: pipelines, commands, operands, variables."""

from collections.abc import Collection
from dataclasses import dataclass, field

from sealmesh.provisioning.gotemplate import nodes
from sealmesh.provisioning.gotemplate.cursor import Cursor, ParseFailure
from sealmesh.provisioning.gotemplate.lexer import Token, TokenKind
from sealmesh.provisioning.gotemplate.literals import LiteralError, number, rune, unquote

__all__ = ["MAX_NESTING", "PipelineParser", "Scope"]

#: How deep control structures and parentheses may be nested. Reason: each level costs frames of Python's
#: stack; templates written by people nest less than ten deep.
MAX_NESTING = 60
_MAX_UINT_AS_INT = 2**63 - 1
_K = TokenKind
_LITERALS = frozenset([_K.BOOL, _K.RUNE, _K.COMPLEX, _K.NUMBER, _K.NIL, _K.RAW, _K.STRING])
_OPERANDS = _LITERALS | {_K.DOT, _K.FIELD, _K.IDENTIFIER, _K.VARIABLE, _K.OPEN}


@dataclass(slots=True)
class Scope:
    """What one `define` knows: its variables, and how many loops are around."""

    variables: list[str] = field(default_factory=lambda: ["$"])
    loops: int = 0


class PipelineParser(Cursor):
    """Parses pipelines; knows the functions, and the variables that are in scope."""

    def __init__(self, text: str, functions: Collection[str]) -> None:
        super().__init__(text)
        self._functions = functions
        self._depth = 0
        self._scope = Scope()

    def _deeper(self, offset: int) -> None:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise ParseFailure(f"nested more than {MAX_NESTING} deep", offset)

    def _pipeline(self, where: str, end: TokenKind) -> nodes.Pipe:
        offset = self._peek_word().offset
        self._deeper(offset)
        declared, assigns = self._declarations(where)
        commands: list[nodes.Command] = []
        while True:
            token = self._next_word()
            if token.kind is end:
                break
            if token.kind not in _OPERANDS:
                raise self._unexpected(token, where)
            self._position -= 1
            commands.append(self._command())
        if not commands:
            raise ParseFailure(f"missing value for {where}", offset)
        for command in commands[1:]:
            if isinstance(command.first, nodes.Bool | nodes.Dot | nodes.Nil | nodes.Constant):
                raise ParseFailure("a later stage of a pipeline must be a function or method", command.offset)
        self._depth -= 1
        return nodes.Pipe(offset, tuple(commands), tuple(declared), assigns)

    def _declarations(self, where: str) -> tuple[list[str], bool]:
        declared: list[str] = []
        while self._peek_word().kind is _K.VARIABLE:
            back = self._position
            variable = self._next_word()
            mark = self._peek_word()
            if mark.kind in (_K.ASSIGN, _K.DECLARE):
                self._next_word()
                declared.append(variable.value)
                self._scope.variables.append(variable.value)
                return declared, mark.kind is _K.ASSIGN
            if mark.kind is not _K.COMMA:
                self._position = back
                return declared, False
            self._next_word()
            declared.append(variable.value)
            self._scope.variables.append(variable.value)
            if where != "range" or len(declared) > 1:
                raise ParseFailure(f"too many declarations in {where}", variable.offset)
            if self._peek_word().kind not in (_K.VARIABLE, _K.RIGHT, _K.CLOSE):
                raise ParseFailure("range can only initialize variables", mark.offset)
        return declared, False

    def _command(self) -> nodes.Command:
        offset = self._peek_word().offset
        operands: list[nodes.Operand] = []
        while True:
            while self._peek().kind is _K.SPACE:
                self._next()
            operand = self._operand()
            if operand is not None:
                operands.append(operand)
            token = self._next()
            if token.kind is _K.SPACE:
                continue
            if token.kind in (_K.RIGHT, _K.CLOSE):
                self._position -= 1
            elif token.kind is not _K.PIPE:
                raise self._unexpected(token, "operand")
            break
        if not operands:
            raise ParseFailure("empty command", offset)
        return nodes.Command(offset, operands[0], tuple(operands[1:]))

    def _operand(self) -> nodes.Operand | None:
        term = self._term()
        if term is None or self._peek().kind is not _K.FIELD:
            return term
        names: list[str] = []
        while self._peek().kind is _K.FIELD:
            names.append(self._next().value[1:])
        match term:
            case nodes.Field(offset, first):
                return nodes.Field(offset, (*first, *names))
            case nodes.Variable(offset, name, first):
                return nodes.Variable(offset, name, (*first, *names))
            case nodes.Pipe() | nodes.Identifier():
                return nodes.Chain(term.offset, term, tuple(names))
        raise ParseFailure("unexpected . after a constant", term.offset)

    def _term(self) -> nodes.Operand | None:
        token = self._peek()
        if token.kind is _K.ERROR:
            self._next()
        if token.kind not in _OPERANDS:
            return None
        self._next()
        match token.kind:
            case _K.IDENTIFIER:
                if token.value not in self._functions:
                    raise ParseFailure(f"function {token.value!a} not defined", token.offset)
                return nodes.Identifier(token.offset, token.value)
            case _K.DOT:
                return nodes.Dot(token.offset)
            case _K.NIL:
                return nodes.Nil(token.offset)
            case _K.BOOL:
                return nodes.Bool(token.offset, token.value == "true")
            case _K.FIELD:
                return nodes.Field(token.offset, (token.value[1:],))
            case _K.VARIABLE:
                if token.value not in self._scope.variables:
                    raise ParseFailure(f"undefined variable {token.value!a}", token.offset)
                return nodes.Variable(token.offset, token.value)
            case _K.OPEN:
                return self._pipeline("parenthesized pipeline", _K.CLOSE)
            case _K.STRING | _K.RAW:
                return nodes.Constant(token.offset, self._literal(token), token.value)
            case _:
                return self._number(token)

    @staticmethod
    def _literal(token: Token) -> bytes:
        try:
            return unquote(token.value)
        except LiteralError as error:
            raise ParseFailure(str(error), token.offset) from None

    @staticmethod
    def _number(token: Token) -> nodes.Constant:
        try:
            if token.kind is _K.RUNE:
                value: int | float | complex = rune(token.value)
            else:
                value = number(token.value, is_complex=token.kind is _K.COMPLEX)
        except LiteralError as error:
            raise ParseFailure(str(error), token.offset) from None
        overflows = type(value) is int and value > _MAX_UINT_AS_INT
        return nodes.Constant(token.offset, value, token.value, overflows)
