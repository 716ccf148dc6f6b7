"""Lines and columns of what a manifest says, in the file as its author wrote it."""

from typing import Protocol

import yaml

from sealmesh.manifest.gojson import fold
from sealmesh.manifest.json_scanner import Lines
from sealmesh.manifest.json_values import Array, JsonValue, Object
from sealmesh.manifest.limits import MAX_DEPTH

Path = tuple[str | int, ...]


class Places(Protocol):
    """Finds the place of a value."""

    def of(self, path: Path, offset: int | None = None) -> tuple[int, int]:
        """Return line and column, from 1, of the value at `path`, or of the innermost part that is there.

        Args:
            path: Names and indices from the root.
            offset: Where it is in the JSON text, if that is known better.
        """
        ...


class JsonPlaces:
    """Of a JSON text."""

    __slots__ = ("_lines", "_root")

    def __init__(self, text: str, root: JsonValue) -> None:
        self._lines = Lines(text)
        self._root = root

    def of(self, path: Path, offset: int | None = None) -> tuple[int, int]:
        """Return the place; without `offset` it is found by walking `path`."""
        return self._lines.place(self._offset(path) if offset is None else offset)

    def _offset(self, path: Path) -> int:
        value = self._root
        for part in path:
            inner = _member(value, part)
            if inner is None:
                break
            value = inner
        return value.offset


class YamlPlaces:
    """Of a YAML document, which was converted to the JSON whose offsets mean nothing to its author."""

    __slots__ = ("_root",)

    def __init__(self, root: yaml.Node) -> None:
        self._root = root

    def of(self, path: Path, offset: int | None = None) -> tuple[int, int]:
        """Return the place of the value; of its name where the value is a mapping or list below it."""
        del offset
        node, shown = self._root, self._root
        for part in path:
            found = _yaml_item(node, part) if isinstance(part, int) else _yaml_member(node, part)
            if found is None:
                break
            shown, node = found
        mark = shown.start_mark
        return mark.line + 1, mark.column + 1


def _member(value: JsonValue, part: str | int) -> JsonValue | None:
    if isinstance(part, int):
        return value.items[part] if isinstance(value, Array) and part < len(value.items) else None
    if not isinstance(value, Object):
        return None
    exact = [member.value for member in value.members if member.name == part]
    if exact:
        return exact[-1]
    folded = [member.value for member in value.members if fold(member.name) == fold(part)]
    return folded[-1] if folded else None


def _yaml_item(node: yaml.Node, part: int) -> tuple[yaml.Node, yaml.Node] | None:
    if not isinstance(node, yaml.SequenceNode) or part >= len(node.value):
        return None
    return node.value[part], node.value[part]


def _yaml_member(node: yaml.Node, part: str, depth: int = 0) -> tuple[yaml.Node, yaml.Node] | None:
    """Return what to show (the name, or a plain value) and the value of a member, also a merged one."""
    if not isinstance(node, yaml.MappingNode) or depth > MAX_DEPTH:
        return None
    for same in (str.__eq__, _folded):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and same(str(key.value), part):
                return value if isinstance(value, yaml.ScalarNode) else key, value
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value == "<<":
            for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                found = _yaml_member(source, part, depth + 1)
                if found is not None:
                    return found
    return None


def _folded(one: str, other: str) -> bool:
    return fold(one) == fold(other)
