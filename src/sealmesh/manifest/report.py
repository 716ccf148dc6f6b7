"""Collecting violations, each with its place in the raw document."""

import json
import re
from collections.abc import Iterable
from difflib import get_close_matches

from sealmesh.errors.manifest import JsonError, ManifestError, Violation
from sealmesh.manifest.json_values import JsonValue
from sealmesh.manifest.limits import MAX_VIOLATIONS
from sealmesh.manifest.places import JsonPlaces, Places
from sealmesh.manifest.places import Path as Path

_BARE = re.compile(r"[A-Za-z_@][A-Za-z0-9_@-]*\Z")
_HARMLESS = frozenset({"unknown-key", "duplicate-key", "gate.missing"})
_SHOWN = 60
_COMPARED = 100  # characters: the comparison takes time with the square of the length
_SEARCHED = 200  # names: it is made for each


def path_text(path: Path) -> str:
    """Return `Marbles.baker.TLS[0]`; names that are not plain words stand in brackets and quotes."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _BARE.match(part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(_cut(part))}]"
    return text or "$"


def quoted(value: str) -> str:
    """Return `value` in quotes, cut to a length that a line can bear."""
    return repr(_cut(value))


def _cut(value: str) -> str:
    return value if len(value) <= _SHOWN else value[:_SHOWN] + "…"


class Report:
    """What is wrong with one document.

    Args:
        text: The JSON.
        root: What `text` says.
        places: Where the lines are counted, if not in `text`.
    """

    __slots__ = ("_more", "_places", "_violations", "faults")

    def __init__(self, text: str, root: JsonValue, *, places: Places | None = None) -> None:
        self._places = JsonPlaces(text, root) if places is None else places
        self._violations: list[Violation] = []
        self._more = 0
        self.faults = 0
        """How many violations left a value unread; others (an unknown key) did not."""

    def add(
        self, code: str, path: Path, message: str, *, remedy: str = "", offset: int | None = None
    ) -> None:
        """Add a violation; without `offset` the place is found by walking `path`."""
        self.faults += code not in _HARMLESS
        if self.full:
            self._more += 1
            return
        line, column = self._places.of(path, offset)
        self._violations.append(
            Violation(
                code=f"manifest.{code}",
                path=path_text(path),
                message=message,
                line=line,
                column=column,
                remedy=remedy,
            )
        )

    @property
    def places(self) -> Places:
        """Where things stand."""
        return self._places

    @property
    def full(self) -> bool:
        """Whether further violations are only counted, so that finding good words for them is no use."""
        return len(self._violations) >= MAX_VIOLATIONS

    def raise_if_any(self) -> None:
        """Raise all violations, in document order, as one error.

        Raises:
            ManifestError: There is at least one.
        """
        if self._violations:
            raise ManifestError(self.violations())

    def violations(self) -> tuple[Violation, ...]:
        """Return all violations, in document order."""
        found = sorted(self._violations, key=lambda violation: (violation.line, violation.column))
        if self._more:
            found.append(
                Violation(
                    code="manifest.too-many-violations",
                    path="$",
                    message=f"{self._more} more violations are not shown.",
                )
            )
        return tuple(found)


def json_violation(error: JsonError) -> ManifestError:
    """Return a document that is not well-formed as a refused manifest."""
    return ManifestError(
        [
            Violation(
                code=f"manifest.{error.code}",
                path="$",
                message=f"not well-formed JSON: {error.message}."
                if error.code == "json.syntax"
                else f"{error.message}.",
                line=error.line,
                column=error.column,
                remedy=error.remedy,
            )
        ]
    )


def listing(names: Iterable[str], *, limit: int = 8) -> str:
    """Return names for a message: quoted, sorted, not too many."""
    ordered = sorted(str(name) for name in names)
    shown = ", ".join(quoted(name) for name in ordered[:limit])
    return (
        shown + (f" and {len(ordered) - limit} more" if len(ordered) > limit else "") if ordered else "none"
    )


def suggest(name: str, known: Iterable[str]) -> str:
    """Return a remedy: the known name that was perhaps meant, or what is known."""
    names = list(known)
    close = get_close_matches(name[:_COMPARED], names, n=1) if len(names) <= _SEARCHED else []
    return f"Did you mean {quoted(close[0])}?" if close else f"There are: {listing(names)}." if names else ""
