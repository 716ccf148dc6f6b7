"""Strict reading of small JSON documents: every key is asked for once, and none is left over."""

from collections.abc import Mapping
from enum import StrEnum
from types import TracebackType
from typing import Any, Self, TypeVar

from sealmesh.errors.dataplane import DataplaneConfigurationError

_Choice = TypeVar("_Choice", bound=StrEnum)


class Reader:
    """One JSON object being read. Leaving its `with` block refuses keys nobody asked for."""

    def __init__(self, fields: Mapping[str, Any], name: str) -> None:
        self._left = dict(fields)
        self._name = name

    @classmethod
    def of(cls, document: object, name: str) -> Self:
        """Take `document`, which must be an object."""
        if not isinstance(document, Mapping):
            raise DataplaneConfigurationError(f"`{name}` must be an object", found=type(document).__name__)
        return cls(document, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._left:
            raise DataplaneConfigurationError(
                f"`{self._name}` has unknown keys", found=", ".join(sorted(self._left))
            )

    def has(self, key: str) -> bool:
        """Say whether there is something under `key`."""
        return key in self._left

    def value(self, key: str) -> Any:
        """Return what stands under `key`, whatever it is."""
        if key not in self._left:
            raise DataplaneConfigurationError(f"`{self._name}.{key}` is missing")
        return self._left.pop(key)

    def text(self, key: str) -> str:
        """Return the text under `key`."""
        return str(self._typed(key, str))

    def optional_text(self, key: str) -> str | None:
        """Return the text under `key`, which may be null."""
        if self._left.get(key, "") is None:
            del self._left[key]
            return None
        return self.text(key)

    def flag(self, key: str) -> bool:
        """Return the boolean under `key`."""
        return bool(self._typed(key, bool))

    def number(self, key: str, low: int, high: int) -> int:
        """Return the integer under `key`, which must lie between `low` and `high`."""
        number = self._typed(key, int)
        if isinstance(number, bool) or not low <= number <= high:
            raise DataplaneConfigurationError(
                f"`{self._name}.{key}` is out of range", found=number, wanted=f"{low} to {high}"
            )
        return int(number)

    def items(self, key: str) -> list[Any]:
        """Return the list under `key`."""
        return list(self._typed(key, list))

    def choice(self, key: str, kind: type[_Choice], default: _Choice) -> _Choice:
        """Return the member of `kind` under `key`; `default` where the key is missing."""
        if key not in self._left:
            return default
        word = self._left.pop(key)
        for member in kind:
            if member.value == word:
                return member
        raise DataplaneConfigurationError(
            f"`{self._name}.{key}` is not one of its words",
            found=repr(word),
            wanted=", ".join(member.value for member in kind),
        )

    def _typed(self, key: str, kind: Any) -> Any:
        value = self.value(key)
        if not isinstance(value, kind):
            raise DataplaneConfigurationError(
                f"`{self._name}.{key}` has another type", found=type(value).__name__, wanted=kind.__name__
            )
        return value
