"""The name of one object in a cluster."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One object. `namespace` counts only where objects of this kind have one."""

    api_version: str
    kind: str
    name: str
    namespace: str

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
