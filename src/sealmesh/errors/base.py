"""The root of the tree."""

from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """What sort of failure this is, independent of any transport."""

    INVALID = "invalid"
    """The request or document itself is wrong; repeating it cannot help."""
    UNAUTHENTICATED = "unauthenticated"
    """The caller did not show who it is."""
    DENIED = "denied"
    """The caller is known (or its Evidence was read) and the rules refuse it."""
    NOT_FOUND = "not-found"
    CONFLICT = "conflict"
    """Somebody else changed the state in between; read again, then decide."""
    STATE = "state"
    """Not possible in the Coordinator's present phase."""
    EXHAUSTED = "exhausted"
    """A named limit was passed."""
    UNAVAILABLE = "unavailable"
    """Something needed cannot be reached now; trying again may help."""
    CONFIGURATION = "configuration"
    """An option, variable or file of this process is wrong."""


class SealmeshError(Exception):
    """An expected failure.

    Args:
        message: One sentence naming the field or thing concerned. No secret.
        code: Overrides the class's stable code where one class has several.
        found: What was there, as a person would write it; never a secret.
        wanted: What would have been accepted.
        remedy: What the reader should do now; defaults to the class's remedy.
    """

    code: str = "error"
    kind: ClassVar[Kind] = Kind.INVALID
    remedy: str = ""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        found: object = None,
        wanted: object = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        self.found = None if found is None else str(found)
        self.wanted = None if wanted is None else str(wanted)
        if remedy is not None:
            self.remedy = remedy

    def __str__(self) -> str:
        parts = [self.message]
        if self.found is not None:
            parts.append(f"found {self.found}")
        if self.wanted is not None:
            parts.append(f"wanted {self.wanted}")
        text = "; ".join(parts)
        return f"{text}. {self.remedy}" if self.remedy else text

    def as_dict(self) -> dict[str, str]:
        """Return code, message, found, wanted and remedy, for `--json` output and error details."""
        fields = {
            "code": self.code,
            "message": self.message,
            "found": self.found,
            "wanted": self.wanted,
            "remedy": self.remedy or None,
        }
        return {name: value for name, value in fields.items() if value is not None}
