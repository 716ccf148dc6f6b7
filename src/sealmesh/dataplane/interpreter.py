"""Whether a file is a Python program that will load the wrap, judged by its name, first line and options."""

import re
from collections.abc import Sequence
from typing import Final

_PYTHON: Final = re.compile(r"python[0-9.]*")
#: Options of the interpreter that keep the wrap from being loaded.
_UNWRAPPED: Final = frozenset("IES")
#: Options of the interpreter whose value is the rest of the word, or the next one.
_WITH_VALUE: Final = frozenset("WX")
_LONG_WITH_VALUE: Final = frozenset({"--check-hash-based-pycs"})


def is_python(executable: str) -> bool:
    """Say whether a file is a Python interpreter or a script that one runs."""
    return _is_interpreter(executable) or bool(_shebang(executable))


def unwrapped_option(executable: str, arguments: Sequence[str]) -> str | None:
    """Return the letter of an interpreter option with which the wrap would not be loaded.

    Args:
        executable: A file for which `is_python` holds.
        arguments: Without the program's own name.
    """
    words = arguments if _is_interpreter(executable) else _shebang(executable)[1:]
    return min(_interpreter_flags(words) & _UNWRAPPED, default=None)


def _is_interpreter(executable: str) -> bool:
    return bool(_PYTHON.fullmatch(executable.rpartition("/")[2]))


def _shebang(executable: str) -> list[str]:
    """Return the words of a script's first line where it names Python, from the interpreter on.

    Installers write a path that is too long for the kernel into the second line, behind `/bin/sh`.
    """
    try:
        with open(executable, "rb") as file:
            first, second = file.readline(512), file.readline(4096)
    except OSError:
        return []
    line = first[2:] if first.startswith(b"#!") else b""
    if line.strip() == b"/bin/sh" and second.startswith(b"'''exec' "):
        line = second
    words = [word.strip("\"'") for word in line.decode(errors="replace").split()]
    for index, word in enumerate(words):
        if _is_interpreter(word):
            return words[index:]
    return []


def _interpreter_flags(words: Sequence[str]) -> set[str]:
    """Return the single-letter options before the script, module or command."""
    flags: set[str] = set()
    position = 0
    while position < len(words):
        word = words[position]
        if not word.startswith("-") or word in ("-", "--"):
            break
        position += 1
        if word.startswith("--"):
            position += word in _LONG_WITH_VALUE
            continue
        for index, letter in enumerate(word[1:], start=1):
            if letter in "cm":
                return flags
            if letter in _WITH_VALUE:
                position += index + 1 == len(word)
                break
            flags.add(letter)
    return flags
