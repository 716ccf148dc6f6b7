"""The name of one object in a cluster."""

import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any, Final

Object = Mapping[str, Any]

#: Of each field: they become parts of a URL's path, and some come from the cluster.
_FORMS: Final = (
    re.compile(r"([a-z0-9][a-z0-9.-]*/)?v[a-z0-9]+"),
    re.compile(r"[A-Z][A-Za-z0-9]*"),
    re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]*"),
    re.compile(r"([a-z0-9][a-z0-9-]*)?"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One object. `namespace` counts only where objects of this kind have one.

    Raises:
        ValueError: A field cannot be the name of that in Kubernetes.
    """

    api_version: str
    kind: str
    name: str
    namespace: str

    def __post_init__(self) -> None:
        for form, text in zip(_FORMS, astuple(self), strict=True):
            if not (isinstance(text, str) and len(text) <= 253 and form.fullmatch(text)):
                raise ValueError(f"{text!r} is no name in Kubernetes")

    @classmethod
    def of(cls, item: Object, namespace: str) -> "Reference":
        """Return the reference of an object whose namespace is `namespace`, unless it names another."""
        metadata = item["metadata"]
        return cls(
            api_version=str(item["apiVersion"]),
            kind=str(item["kind"]),
            name=str(metadata["name"]),
            namespace=str(metadata.get("namespace") or namespace),
        )

    @property
    def title(self) -> str:
        """As `kubectl` names it."""
        group = self.api_version.partition("/")[0] if "/" in self.api_version else ""
        return f"{self.kind.lower()}{'.' if group else ''}{group}/{self.name}"
