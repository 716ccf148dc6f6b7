"""Intel's signed JSON documents: strict reading, typed access.

The signature covers the text, so the text is verified first and read afterwards. Unknown keys are
left alone, because the vendor adds some within a version; duplicate keys are refused.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Never, NoReturn

from sealmesh.attestation.tcb import TcbStatus
from sealmesh.attestation.validity import Validity
from sealmesh.errors.attestation import EndorsementFormatError

MAX_LEVELS = 256
"""Intel's longest list of TCB levels has about 20."""

_STATUSES = tuple(
    set_by for set_by in TcbStatus if set_by not in (TcbStatus.NOT_SUPPORTED, TcbStatus.NOT_JUDGED)
)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_ADVISORY = re.compile(r"[A-Za-z0-9._-]{1,64}")


def load_json(text: str | bytes, *, subject: str) -> object:
    """Return the value of a JSON text.

    Raises:
        EndorsementFormatError: `format:<subject>`: not JSON, a duplicate key, NaN, too deep.
    """

    def pairs(items: list[tuple[str, object]]) -> dict[str, object]:
        document = dict(items)
        if len(document) != len(items):
            raise ValueError("a key stands twice in one object")
        return document

    def constant(name: str) -> Never:
        raise ValueError(f"{name} is not JSON")

    try:
        return json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        raise EndorsementFormatError(f"{subject} is not JSON: {error}", code=f"format:{subject}") from error


class Document:
    """One JSON object of a document, read field by field."""

    __slots__ = ("_fields", "_path", "_subject")

    def __init__(self, value: object, *, subject: str, path: str = "") -> None:
        self._subject = subject
        self._path = path or subject
        if not isinstance(value, dict):
            self._refuse("", "an object")
        self._fields: Mapping[str, object] = value

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def string(self, name: str) -> str:
        """Return a string."""
        value = self._fields.get(name)
        return value if isinstance(value, str) else self._refuse(name, "a string")

    def integer(self, name: str, *, most: int) -> int:
        """Return an integer from 0 to `most`."""
        value = self._fields.get(name)
        if type(value) is not int or not 0 <= value <= most:
            self._refuse(name, f"an integer from 0 to {most}")
        return value

    def octets(self, name: str, length: int) -> bytes:
        """Return hexadecimal text of either case as `length` bytes."""
        text = self.string(name)
        if not re.fullmatch(f"[0-9a-fA-F]{{{2 * length}}}", text):
            self._refuse(name, f"{length} bytes in hexadecimal")
        return bytes.fromhex(text)

    def time(self, name: str) -> datetime:
        """Return a time, written as `2025-01-31T23:59:59Z`."""
        text = self.string(name)
        try:
            if _TIME.fullmatch(text):
                return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            pass
        return self._refuse(name, "a time like 2025-01-31T23:59:59Z")

    def validity(self) -> Validity:
        """Return the span from `issueDate` to `nextUpdate`."""
        return Validity(not_before=self.time("issueDate"), not_after=self.time("nextUpdate"))

    def evaluation_number(self) -> int | None:
        """Return `tcbEvaluationDataNumber`, which may be missing."""
        name = "tcbEvaluationDataNumber"
        return self.integer(name, most=0xFFFFFFFF) if name in self else None

    def status(self) -> TcbStatus:
        """Return `tcbStatus`."""
        text = self.string("tcbStatus")
        if text not in _STATUSES:
            self._refuse("tcbStatus", "one of " + ", ".join(_STATUSES))
        return TcbStatus(text)

    def advisories(self) -> tuple[str, ...]:
        """Return `advisoryIDs`, which may be missing."""
        names = self._fields.get("advisoryIDs", [])
        if not isinstance(names, list) or len(names) > MAX_LEVELS:
            self._refuse("advisoryIDs", f"a list of at most {MAX_LEVELS} names")
        for name in names:
            if not isinstance(name, str) or not _ADVISORY.fullmatch(name):
                self._refuse("advisoryIDs", "names such as INTEL-SA-00615")
        return tuple(names)

    def document(self, name: str) -> "Document":
        """Return the object under `name`."""
        return Document(self._fields.get(name), subject=self._subject, path=f"{self._path}.{name}")

    def documents(self, name: str, *, exactly: int | None = None) -> tuple["Document", ...]:
        """Return the objects of the list under `name`, at most `MAX_LEVELS`."""
        values = self._fields.get(name)
        if not isinstance(values, list) or len(values) > MAX_LEVELS or exactly not in (None, len(values)):
            self._refuse(name, f"a list of {exactly or f'at most {MAX_LEVELS}'} objects")
        return tuple(
            Document(value, subject=self._subject, path=f"{self._path}.{name}[{index}]")
            for index, value in enumerate(values)
        )

    def _refuse(self, name: str, wanted: str) -> NoReturn:
        where = f"{self._path}.{name}" if name else self._path
        raise EndorsementFormatError(
            f"{where} is not as it must be", code=f"format:{self._subject}", wanted=wanted
        )
