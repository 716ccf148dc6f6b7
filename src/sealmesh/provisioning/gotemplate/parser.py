"""Tokens to the parse trees of a template and of all templates defined inside it.

Grammar: Go's `text/template` documentation. Variables are checked here (declared before they are used,
lexically), functions too; whether a field exists is known at execution only.
"""

from collections.abc import Collection

from sealmesh.provisioning.gotemplate import nodes
from sealmesh.provisioning.gotemplate.cursor import ParseFailure
from sealmesh.provisioning.gotemplate.lexer import Token, TokenKind
from sealmesh.provisioning.gotemplate.literals import encode
from sealmesh.provisioning.gotemplate.pipeline_parser import MAX_NESTING, PipelineParser, Scope

__all__ = ["MAX_NESTING", "ParseFailure", "parse"]

_K = TokenKind
_WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What Go's `unicode.IsSpace` is true for; trim markers know the ASCII ones only."""
Body = tuple[nodes.Node, ...]


def parse(text: str, *, name: bytes, functions: Collection[str]) -> dict[bytes, Body]:
    """Return the tree of `text` under `name`, and those of the templates it defines.

    Raises:
        ParseFailure: The text is not a template.
    """
    return _Parser(text, functions).trees(name)


def is_blank(body: Body) -> bool:
    """Tell whether a template has nothing but white space; such a one may be defined again."""
    return all(
        isinstance(node, nodes.Text) and not node.data.decode(errors="replace").strip(_WHITE_SPACE)
        for node in body
    )


class _Parser(PipelineParser):
    def __init__(self, text: str, functions: Collection[str]) -> None:
        super().__init__(text, functions)
        self._trees: dict[bytes, Body] = {}

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
        outer, self._scope = self._scope, Scope()
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
        outer, self._scope = self._scope, Scope()
        body, end = self._body()
        self._scope = outer
        if end.value != "end":
            raise self._unexpected(end, "block clause")
        self._depth -= 1
        self._add(name, body, keyword.offset)
        return nodes.Call(keyword.offset, name, pipe)
