"""Tokens to the parse trees of a template and of all templates defined inside it.

Grammar: Go's `text/template` documentation. Variables are checked here (declared before they are used,
lexically), functions too; whether a field exists is known at execution only.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from sealmesh.provisioning.gotemplate import nodes
from sealmesh.provisioning.gotemplate.lexer import Token, TokenKind, tokens
from sealmesh.provisioning.gotemplate.literals import LiteralError, encode, number, rune, unquote

__all__ = ["MAX_NESTING", "ParseFailure", "parse"]

#: How deep control structures and parentheses may be nested. Reason: each level costs frames of Python's
#: stack; templates written by people nest less than ten deep.
MAX_NESTING = 60
_MAX_UINT_AS_INT = 2**63 - 1
_K = TokenKind
_LITERALS = frozenset([_K.BOOL, _K.RUNE, _K.COMPLEX, _K.NUMBER, _K.NIL, _K.RAW, _K.STRING])
_OPERANDS = _LITERALS | {_K.DOT, _K.FIELD, _K.IDENTIFIER, _K.VARIABLE, _K.OPEN}
Body = tuple[nodes.Node, ...]


class ParseFailure(Exception):
    """A mistake and where it is; `Template` turns the offset into line and column."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


@dataclass(slots=True)
class _Scope:
    """What one `define` knows: its variables, and how many loops are around."""

    variables: list[str] = field(default_factory=lambda: ["$"])
    loops: int = 0


def parse(text: str, *, name: bytes, functions: Collection[str]) -> dict[bytes, Body]:
    """Return the tree of `text` under `name`, and those of the templates it defines.

    Raises:
        ParseFailure: The text is not a template.
    """
    return _Parser(text, functions).trees(name)


def is_blank(body: Body) -> bool:
    """Tell whether a template has nothing but white space; such a one may be defined again."""
    return all(isinstance(node, nodes.Text) and not node.data.strip(b"\t\n\v\f\r ") for node in body)


class _Parser:
    def __init__(self, text: str, functions: Collection[str]) -> None:
        self._tokens = tokens(text)
        self._functions = functions
        self._position = 0
        self._depth = 0
        self._scope = _Scope()
        self._trees: dict[bytes, Body] = {}

    # -- tokens -----------------------------------------------------------------------------------------

    def _peek(self) -> Token:
        return self._tokens[self._position]

    def _peek_word(self) -> Token:
        position = self._position
        while self._tokens[position].kind is _K.SPACE:
            position += 1
        return self._tokens[position]

    def _next(self) -> Token:
        token = self._tokens[self._position]
        if token.kind is _K.ERROR:
            raise ParseFailure(token.value, token.offset)
        if token.kind is not _K.END:
            self._position += 1
        return token

    def _next_word(self) -> Token:
        while (token := self._next()).kind is _K.SPACE:
            pass
        return token

    def _expect(self, kind: TokenKind, where: str) -> Token:
        token = self._next_word()
        if token.kind is not kind:
            raise self._unexpected(token, where)
        return token

    @staticmethod
    def _unexpected(token: Token, where: str) -> ParseFailure:
        if token.kind is _K.ERROR:
            return ParseFailure(token.value, token.offset)
        if token.kind is _K.END:
            return ParseFailure(f"unexpected end of the template in {where}", token.offset)
        shown = token.value if len(token.value) <= 40 else token.value[:37] + "..."
        return ParseFailure(f"unexpected {shown!a} in {where}", token.offset)

    def _is_keyword(self, token: Token, *words: str) -> bool:
        return token.kind is _K.KEYWORD and token.value in words

    # -- bodies -----------------------------------------------------------------------------------------

    def trees(self, name: bytes) -> dict[bytes, Body]:
        body: list[nodes.Node] = []
        while (token := self._peek()).kind is not _K.END:
            if token.kind is _K.LEFT and self._is_keyword(self._after_left(), "define"):
                self._define()
                continue
            node = self._text_or_action()
            if isinstance(node, Token):
                raise ParseFailure(f"unexpected {{{{{node.value}}}}}", node.offset)
            body.append(node)
        self._add(name, tuple(body), 0)
        return self._trees

    def _after_left(self) -> Token:
        position = self._position + 1
        while self._tokens[position].kind is _K.SPACE:
            position += 1
        return self._tokens[position]

    def _add(self, name: bytes, body: Body, offset: int) -> None:
        known = self._trees.get(name)
        if known is None or is_blank(known):
            self._trees[name] = body
        elif not is_blank(body):
            raise ParseFailure(f"multiple definition of template {name.decode(errors='replace')!r}", offset)

    def _define(self) -> None:
        self._next()
        keyword = self._next_word()
        name = self._template_name("define clause")
        self._expect(_K.RIGHT, "define clause")
        outer, self._scope = self._scope, _Scope()
        body, end = self._body()
        self._scope = outer
        if end.value != "end":
            raise self._unexpected(end, "define clause")
        self._add(name, body, keyword.offset)

    def _body(self) -> tuple[Body, Token]:
        """Return the nodes up to `{{end}}` or `{{else`, and that keyword (the rest of it is not read yet)."""
        found: list[nodes.Node] = []
        while self._peek().kind is not _K.END:
            node = self._text_or_action()
            if isinstance(node, Token):
                return tuple(found), node
            found.append(node)
        raise ParseFailure("unexpected end of the template: {{end}} is missing", self._peek().offset)

    def _text_or_action(self) -> nodes.Node | Token:
        token = self._next_word()
        if token.kind is _K.TEXT:
            return nodes.Text(token.offset, encode(token.value))
        if token.kind is _K.LEFT:
            return self._action()
        raise self._unexpected(token, "input")

    def _action(self) -> nodes.Node | Token:
        token = self._peek_word()
        if token.kind is not _K.KEYWORD:
            pipe = self._pipeline("command", _K.RIGHT)
            return nodes.Action(token.offset, pipe)
        keyword = self._next_word()
        match keyword.value:
            case "if" | "with":
                return self._conditional(keyword)
            case "range":
                return self._range(keyword)
            case "template":
                return self._template(keyword)
            case "block":
                return self._block(keyword)
            case "break" | "continue":
                return self._jump(keyword)
            case "end":
                self._expect(_K.RIGHT, "end")
                return keyword
            case "else":
                if not self._is_keyword(self._peek_word(), "if", "with"):
                    self._expect(_K.RIGHT, "else")
                return keyword
        raise self._unexpected(keyword, "command")

    # -- control structures -----------------------------------------------------------------------------

    def _deeper(self, offset: int) -> None:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise ParseFailure(f"nested more than {MAX_NESTING} deep", offset)

    def _conditional(self, keyword: Token) -> nodes.Node:
        self._deeper(keyword.offset)
        kept = len(self._scope.variables)
        branches: list[nodes.Branch] = []
        otherwise: Body = ()
        while True:
            pipe = self._pipeline(keyword.value, _K.RIGHT)
            body, end = self._body()
            branches.append(nodes.Branch(pipe, body))
            if end.value == "else" and self._is_keyword(self._peek_word(), keyword.value):
                self._next_word()
                continue
            if end.value == "else":
                otherwise = self._else()
            break
        del self._scope.variables[kept:]
        self._depth -= 1
        return nodes.Conditional(keyword.offset, keyword.value == "with", tuple(branches), otherwise)

    def _else(self) -> Body:
        body, end = self._body()
        if end.value != "end":
            raise ParseFailure("expected end; found {{else}}", end.offset)
        return body

    def _range(self, keyword: Token) -> nodes.Node:
        self._deeper(keyword.offset)
        kept = len(self._scope.variables)
        pipe = self._pipeline("range", _K.RIGHT)
        self._scope.loops += 1
        body, end = self._body()
        self._scope.loops -= 1
        otherwise = self._else() if end.value == "else" else ()
        del self._scope.variables[kept:]
        self._depth -= 1
        return nodes.Range(keyword.offset, pipe, body, otherwise)

    def _jump(self, keyword: Token) -> nodes.Node:
        token = self._next_word()
        if token.kind is not _K.RIGHT:
            raise self._unexpected(token, f"{{{{{keyword.value}}}}}")
        if not self._scope.loops:
            raise ParseFailure(f"{{{{{keyword.value}}}}} outside {{{{range}}}}", keyword.offset)
        return nodes.Break(keyword.offset) if keyword.value == "break" else nodes.Continue(keyword.offset)

    def _template_name(self, where: str) -> bytes:
        token = self._next_word()
        if token.kind not in (_K.STRING, _K.RAW):
            raise self._unexpected(token, where)
        return self._literal(token)

    def _template(self, keyword: Token) -> nodes.Node:
        name = self._template_name("template clause")
        pipe = None
        if self._peek_word().kind is _K.RIGHT:
            self._next_word()
        else:
            pipe = self._pipeline("template clause", _K.RIGHT)
        return nodes.Call(keyword.offset, name, pipe)

    def _block(self, keyword: Token) -> nodes.Node:
        self._deeper(keyword.offset)
        name = self._template_name("block clause")
        pipe = self._pipeline("block clause", _K.RIGHT)
        outer, self._scope = self._scope, _Scope()
        body, end = self._body()
        self._scope = outer
        if end.value != "end":
            raise self._unexpected(end, "block clause")
        self._depth -= 1
        self._add(name, body, keyword.offset)
        return nodes.Call(keyword.offset, name, pipe)

    # -- pipelines --------------------------------------------------------------------------------------

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
