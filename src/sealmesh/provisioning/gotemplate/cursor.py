"""Steps through the tokens of a template."""

from sealmesh.provisioning.gotemplate.lexer import Token, TokenKind, tokens

__all__ = ["Cursor", "ParseFailure"]

_K = TokenKind


class ParseFailure(Exception):
    """A mistake and where it is; `Template` turns the offset into line and column."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class Cursor:
    """A place in the tokens of a text. A mistake of the lexer is reported when it is reached."""

    def __init__(self, text: str) -> None:
        self._tokens = tokens(text)
        self._position = 0

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

    def _after_left(self) -> Token:
        position = self._position + 1
        while self._tokens[position].kind is _K.SPACE:
            position += 1
        return self._tokens[position]
