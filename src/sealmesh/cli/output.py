"""What commands write: results to stdout, errors to stderr, as text or as one JSON document."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import typer

from sealmesh.errors import SealmeshError
from sealmesh.errors.manifest import JsonError, YamlError


class Output:
    """Where one command's words go.

    With `as_json`, stdout gets exactly one JSON document: the result, or `{"error": {...}}`; what is meant
    for people goes to stderr.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        #: Whether stdout is for the result alone: a document that goes on into a file or a pipe.
        self.result_alone = False

    def note(self, text: str) -> None:
        """Write a line for people that is not the result."""
        print(text, file=sys.stderr if self.as_json else sys.stdout)

    def aside(self, text: str) -> None:
        """Write a line for people that must not stand in the way of a result that is a document."""
        print(text, file=sys.stderr if self.as_json or self.result_alone else sys.stdout)

    def warn(self, text: str) -> None:
        """Write a warning to stderr."""
        print(f"warning: {text}", file=sys.stderr)

    def result(self, text: str, document: Mapping[str, Any] | Sequence[Any]) -> None:
        """Write the result: `text` for people, `document` with --json."""
        if self.as_json:
            print(json.dumps(document, indent=2, ensure_ascii=False))
        elif text:
            print(printable(text))

    def raw(self, content: bytes, document: Mapping[str, Any]) -> None:
        """Write bytes as they are (a terminal gets a last newline), or with --json the document."""
        if self.as_json:
            self.result("", document)
            return
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        if sys.stdout.isatty() and not content.endswith(b"\n"):
            sys.stdout.buffer.write(b"\n")
        sys.stdout.buffer.flush()

    def failure(self, error: SealmeshError) -> None:
        """Write an error: code and cause, then found, wanted and remedy, each on its line."""
        first, *more = error.message.splitlines() or [""]
        lines = [f"error [{error.code}]: {_place(error)}{first}", *(f"  {line}" for line in more)]
        for label, text in (("found", error.found), ("wanted", error.wanted), ("remedy", error.remedy)):
            if text:
                lines.append(f"  {label + ':':8}{text}")
        print(printable("\n".join(lines)), file=sys.stderr)
        if self.as_json:
            print(json.dumps({"error": _document(error)}, indent=2, ensure_ascii=False))

    def usage(self, error: Any) -> None:
        """Write what was wrong with the arguments to stderr, and the command's usage to stdout."""
        message = error.format_message()
        context = getattr(error, "ctx", None)
        where = context.command_path if context else "sealmesh"
        print(f"error [usage]: {message}\n  remedy: See `{where} --help`.", file=sys.stderr)
        if self.as_json:
            print(json.dumps({"error": {"code": "usage", "message": message}}, indent=2, ensure_ascii=False))
        elif context is not None and context.parent is not None:
            print(context.get_usage())


def _place(error: SealmeshError) -> str:
    return f"{error.line}:{error.column}: " if isinstance(error, YamlError | JsonError) else ""


def printable(text: str) -> str:
    """Return `text` without what could steer a terminal: some of it comes from far ends nobody verified."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _document(error: SealmeshError) -> dict[str, Any]:
    document: dict[str, Any] = error.as_dict()
    mismatches = getattr(error, "mismatches", None) or ()
    if mismatches:
        document["mismatches"] = [
            {"field": item.field, "found": item.found, "wanted": item.wanted} for item in mismatches
        ]
    if isinstance(error, YamlError | JsonError):
        document |= {"line": error.line, "column": error.column}
    violations = getattr(error, "violations", None) or ()
    if violations:
        document["violations"] = [item.as_dict() for item in violations]
    return document


def leave(code: int) -> NoReturn:
    """End the command with `code`."""
    raise typer.Exit(code)
