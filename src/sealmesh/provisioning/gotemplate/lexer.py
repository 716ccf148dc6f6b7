"""Template text to tokens.

The text is decoded with `surrogateescape`, so that any bytes outside and raw strings inside survive.
A mistake becomes a last token of kind ERROR: the parser reports it only when nothing before it is wrong.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

__all__ = ["Token", "TokenKind", "tokens"]

_LEFT, _RIGHT = "{{", "}}"
_SPACES = " \t\r\n"
#: Go's number syntax, as far as a scanner looks: what it means is decided in `literals`.
_NUMBER_RE = re.compile(
    r"""[+-]?(?:
        0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?
      | 0[oO][0-7_]*(?:\.[0-7_]*)?
      | 0[bB][01_]*(?:\.[01_]*)?
      | [0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?
    )i?""",
    re.VERBOSE,
)
_SPACE_RE = re.compile(r"[ \t\r\n]+")
_QUOTED_RE = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"', re.DOTALL)
_CHARACTER_RE = re.compile(r"'(?:[^'\\\n]|\\[^\n])*'", re.DOTALL)
_RAW_RE = re.compile(r"`[^`]*`")


class TokenKind(Enum):
    """What a token is."""

    TEXT = auto()
    LEFT = auto()
    RIGHT = auto()
    SPACE = auto()
    ASSIGN = auto()
    DECLARE = auto()
    PIPE = auto()
    OPEN = auto()
    CLOSE = auto()
    COMMA = auto()
    CHARACTER = auto()
    STRING = auto()
    RAW = auto()
    RUNE = auto()
    NUMBER = auto()
    COMPLEX = auto()
    BOOL = auto()
    NIL = auto()
    DOT = auto()
    FIELD = auto()
    VARIABLE = auto()
    IDENTIFIER = auto()
    KEYWORD = auto()
    ERROR = auto()
    END = auto()


_KEYWORDS = frozenset(
    ["block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"]
)
_WORDS = {"true": TokenKind.BOOL, "false": TokenKind.BOOL, "nil": TokenKind.NIL, ".": TokenKind.DOT}
_MARKS = {
    "|": TokenKind.PIPE,
    "(": TokenKind.OPEN,
    ")": TokenKind.CLOSE,
    ",": TokenKind.COMMA,
    "=": TokenKind.ASSIGN,
}


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `value` is its text, for ERROR the message."""

    kind: TokenKind
    value: str
    offset: int


class _LexError(Exception):
    def __init__(self, message: str, offset: int) -> None:
        self.message = message
        self.offset = offset


def tokens(text: str) -> list[Token]:
    """Return all tokens of `text`, the last one of kind END or ERROR."""
    found: list[Token] = []
    try:
        found.extend(_document(text))
    except _LexError as error:
        found.append(Token(TokenKind.ERROR, error.message, error.offset))
    return found


def _document(text: str) -> Iterator[Token]:
    position, trims = 0, False
    while True:
        left = text.find(_LEFT, position)
        end = len(text) if left < 0 else left
        body = text[position:end]
        offset = position
        if trims:
            stripped = body.lstrip(_SPACES)
            offset += len(body) - len(stripped)
            body = stripped
        inside = left + len(_LEFT)
        if left >= 0 and text[inside : inside + 1] == "-" and text[inside + 1 : inside + 2] in tuple(_SPACES):
            body = body.rstrip(_SPACES)
            inside += 2
        if body:
            yield Token(TokenKind.TEXT, body, offset)
        if left < 0:
            yield Token(TokenKind.END, "", len(text))
            return
        if text.startswith("/*", inside):
            position, trims = _comment(text, inside)
            continue
        yield Token(TokenKind.LEFT, _LEFT, left)
        action = _Action(text, inside)
        yield from action.tokens()
        position, trims = action.position, action.trims


def _comment(text: str, start: int) -> tuple[int, bool]:
    close = text.find("*/", start + 2)
    if close < 0:
        raise _LexError("unclosed comment", start)
    close += 2
    right = _right_delimiter(text, close)
    if right is None:
        raise _LexError("comment ends before closing delimiter", close)
    return right


def _right_delimiter(text: str, position: int) -> tuple[int, bool] | None:
    """Return where the text goes on and whether it is trimmed, if a closing delimiter is here."""
    if text.startswith(_RIGHT, position):
        return position + len(_RIGHT), False
    if text[position : position + 1] in tuple(_SPACES) and text.startswith("-" + _RIGHT, position + 1):
        return position + 2 + len(_RIGHT), True
    return None


def _is_word(character: str) -> bool:
    """Tell letters and decimal digits of Unicode, and the underscore."""
    if character.isascii():
        return character == "_" or character.isalnum()
    category = unicodedata.category(character)
    return category[0] == "L" or category == "Nd"


class _Action:
    """The tokens between two delimiters."""

    def __init__(self, text: str, position: int) -> None:
        self.text = text
        self.position = position
        self.trims = False
        self._open = 0

    def tokens(self) -> Iterator[Token]:
        """Yield up to and including the RIGHT token."""
        while True:
            start = self.position
            right = _right_delimiter(self.text, start)
            if right is not None:
                if self._open:
                    raise _LexError("unclosed left paren", start)
                yield Token(TokenKind.RIGHT, _RIGHT, start)
                self.position, self.trims = right
                return
            if start >= len(self.text):
                raise _LexError("unclosed action", start)
            yield self._token(start)

    def _token(self, start: int) -> Token:
        character = self.text[start]
        if character in _SPACES:
            return self._space(start)
        if character in _MARKS:
            return self._mark(character, start)
        if character == ":":
            if not self.text.startswith(":=", start):
                raise _LexError("expected :=", start)
            return self._take(TokenKind.DECLARE, start, start + 2)
        if character in "\"`'":
            return self._quoted(character, start)
        if character == "$":
            return self._name(TokenKind.VARIABLE, start)
        if character == "." and not self.text[start + 1 : start + 2].isdecimal():
            return self._name(TokenKind.FIELD, start)
        if character in "+-." or (character.isascii() and character.isdigit()):
            return self._number(start)
        if _is_word(character):
            return self._name(TokenKind.IDENTIFIER, start)
        if character.isascii() and character.isprintable():
            return self._take(TokenKind.CHARACTER, start, start + 1)
        raise _LexError(f"unrecognized character in action: {character!a}", start)

    def _take(self, kind: TokenKind, start: int, end: int) -> Token:
        self.position = end
        return Token(kind, self.text[start:end], start)

    def _space(self, start: int) -> Token:
        found = _SPACE_RE.match(self.text, start)
        end = found.end() if found else start + 1
        if self.text.startswith("-" + _RIGHT, end):
            end -= 1  # the last blank belongs to the trim marker
            if end == start:
                raise AssertionError("a trim marker is seen before its blank is")
        return self._take(TokenKind.SPACE, start, end)

    def _mark(self, character: str, start: int) -> Token:
        self._open += {"(": 1, ")": -1}.get(character, 0)
        if self._open < 0:
            raise _LexError("unexpected right paren", start)
        return self._take(_MARKS[character], start, start + 1)

    def _quoted(self, quote: str, start: int) -> Token:
        pattern, kind, what = {
            '"': (_QUOTED_RE, TokenKind.STRING, "unterminated quoted string"),
            "'": (_CHARACTER_RE, TokenKind.RUNE, "unterminated character constant"),
            "`": (_RAW_RE, TokenKind.RAW, "unterminated raw quoted string"),
        }[quote]
        found = pattern.match(self.text, start)
        if found is None:
            raise _LexError(what, start)
        return self._take(kind, start, found.end())

    def _number(self, start: int) -> Token:
        end, kind = self._scan_number(start), TokenKind.NUMBER
        if self.text[end : end + 1] in ("+", "-"):
            end, kind = self._scan_number(end), TokenKind.COMPLEX
            if self.text[end - 1] != "i":
                raise _LexError(f"bad number syntax: {self.text[start:end]!a}", start)
        return self._take(kind, start, end)

    def _scan_number(self, start: int) -> int:
        found = _NUMBER_RE.match(self.text, start)
        end = found.end() if found else start
        if _is_word(self.text[end : end + 1] or " "):
            raise _LexError(f"bad number syntax: {self.text[start : end + 1]!a}", start)
        return end

    def _name(self, kind: TokenKind, start: int) -> Token:
        end = start if kind is TokenKind.IDENTIFIER else start + 1
        while end < len(self.text) and _is_word(self.text[end]):
            end += 1
        following = self.text[end : end + 1]
        if following and following not in " \t\r\n.,|:()" and not self.text.startswith(_RIGHT, end):
            raise _LexError(f"bad character {following!a} in a name; names like that need `index`", end)
        word = self.text[start:end]
        if kind is not TokenKind.VARIABLE:
            kind = TokenKind.KEYWORD if word in _KEYWORDS else _WORDS.get(word, kind)
        return self._take(kind, start, end)
