"""Command lines as MarbleRun's client takes them, written as ours takes them.

Its global options may stand before the command (`-i status ADDRESS`), flags may carry a value
(`--insecure=true`), short options an equals sign (`-o=FILE`), and `help COMMAND` asks for `COMMAND --help`.
"""

import re
from collections.abc import Sequence
from typing import Any

#: Global options, and whether they take a value.
_GLOBAL = {
    **dict.fromkeys(("-i", "--insecure", "--json"), False),
    **dict.fromkeys(
        (
            "--policy", "--era-config", "--coordinator-cert", "-n", "--namespace", "--nonce",
            "--endorsements", "--save-sgx-quote", "--accepted-tcb-statuses", "--accepted-advisories",
        ),
        True,
    ),
}  # fmt: skip
_FLAGS = frozenset(
    {
        *("--insecure", "--json", "--signature", "--display-update", "--keep-cert", "--missing"),
        *("--simulation", "--disable-auto-injection", "--distributed-deployment", "--force-conflicts"),
        *("--dry-run", "--delete-state"),
    }
)
_TRUE, _FALSE = (
    frozenset({"true", "1", "t", "T", "TRUE", "True"}),
    frozenset({"false", "0", "f", "F", "FALSE", "False"}),
)
#: What follows these commands' own options belongs to another program.
_FOREIGN = frozenset({"run"})


def arranged(arguments: Sequence[str], root: Any) -> list[str]:
    """Return `arguments` in the order and spelling that the command tree `root` (click) reads."""
    if arguments and arguments[0] == "help":
        return [*arguments[1:], "--help"]
    path, early, rest = _split(list(arguments), root)
    if path and path[0] in _FOREIGN:
        return [*path, *early, *rest]
    end = rest.index("--") if "--" in rest else len(rest)
    own = [written for word in (*early, *rest[:end]) for written in _written(word)]
    return [*path, *own, *rest[end:]]


def _split(words: list[str], command: Any) -> tuple[list[str], list[str], list[str]]:
    """Return the names down to a command, the global options among them, and what follows."""
    path: list[str] = []
    early: list[str] = []
    while words and hasattr(command, "commands"):
        word = words[0]
        name = word.partition("=")[0]
        if name in _GLOBAL:
            takes = 2 if _GLOBAL[name] and "=" not in word else 1
            early += words[:takes]
            words = words[takes:]
        elif word in command.commands:
            path.append(word)
            command = command.commands[word]
            words = words[1:]
        else:
            break
    if not path or hasattr(command, "commands"):
        return path, [], [*early, *words]
    return path, early, words


def _written(word: str) -> tuple[str, ...]:
    name, equals, value = word.partition("=")
    if not equals:
        return (word,)
    if name in _FLAGS and value in _TRUE:
        return (name,)
    if name in _FLAGS and value in _FALSE:
        return ()
    return (name, value) if re.fullmatch(r"-[a-z]", name) else (word,)
