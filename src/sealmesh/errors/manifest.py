"""Failures of documents: JSON that does not hold together, manifests that break a rule."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sealmesh.errors.base import SealmeshError


class JsonError(SealmeshError):
    """A JSON text that is not well-formed, or a field of the wrong type.

    Args:
        line: Line of the first character concerned, from 1.
        column: Column in characters (not bytes), from 1.
    """

    code = "json.syntax"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        line: int = 1,
        column: int = 1,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message, code=code, remedy=remedy)
        self.line = line
        self.column = column

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {super().__str__()}"


class YamlError(SealmeshError):
    """A YAML text that has no single JSON meaning.

    Args:
        line: Line of the first character concerned, from 1.
        column: Column in characters, from 1.
    """

    code = "yaml.syntax"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        line: int = 1,
        column: int = 1,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message, code=code, remedy=remedy)
        self.line = line
        self.column = column

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {super().__str__()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One rule that the manifest breaks.

    Attributes:
        code: Stable code, for example `manifest.package.mixed-identity`.
        path: Where in the document, for example `Marbles.baker.TLS[0]`; `$` is the whole document.
        message: One sentence: what is wrong.
        line: Line in the raw document, from 1; 0 where there is none.
        column: Column in characters, from 1; 0 where there is none.
        remedy: What to do about it.
    """

    code: str
    path: str
    message: str
    line: int = 0
    column: int = 0
    remedy: str = ""

    def __str__(self) -> str:
        place = f"{self.line}:{self.column}: {self.path}" if self.line else self.path
        return f"{place}: {self.message}" + (f" {self.remedy}" if self.remedy else "") + f" [{self.code}]"

    def as_dict(self) -> dict[str, str | int]:
        """Return all fields, for `--json` output."""
        return asdict(self)


class ManifestError(SealmeshError):
    """A manifest or package update that is refused; `violations` has every reason, never none.

    The code is the violation's own where there is exactly one, else `manifest.invalid`.
    """

    code = "manifest.invalid"

    def __init__(self, violations: Sequence[Violation]) -> None:
        self.violations = tuple(violations)
        if not self.violations:
            raise RuntimeError("a ManifestError needs at least one violation")
        single = self.violations[0].code if len(self.violations) == 1 else None
        super().__init__("\n".join(str(violation) for violation in self.violations), code=single)

    def __str__(self) -> str:
        return self.message
