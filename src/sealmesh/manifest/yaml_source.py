"""YAML in: one document becomes compact JSON with sorted keys (COMPAT section 13).

Only what means the same to every reader is accepted: YAML 1.2 core scalars, text keys, no repeated
keys, no tags, no fractions (a manifest has none), and words that YAML 1.1 takes for booleans or numbers
only in quotes. Aliases and merge keys are expanded within the bounds of `limits`.
"""

import json
import re

import yaml

from sealmesh.errors.manifest import YamlError
from sealmesh.manifest.limits import MAX_DEPTH, MAX_MANIFEST_BYTES, MAX_VALUES
from sealmesh.manifest.places import YamlPlaces

_Json = None | bool | int | str | list["_Json"] | dict[str, "_Json"]

_PLAIN = "sealmesh:plain"
_TEXT = "tag:yaml.org,2002:str"
_CONTAINERS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_OLD_BOOLEANS = frozenset({"y", "n", "yes", "no", "on", "off"})
_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,19})\Z", re.ASCII)
_BASED = re.compile(r"0(?:x[0-9a-fA-F]{1,16}|o[0-7]{1,22})\Z")
_ODD_NUMBER = re.compile(
    r"[+-]?(?:[0-9][0-9_]*+(?::[0-5]?[0-9])++(?:\.[0-9_]*+)?|0[box][0-9a-fA-F_]++"
    r"|(?:[0-9][0-9_]*+(?:\.[0-9_]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?|\.(?:inf|Inf|INF))\Z|\.(?:nan|NaN|NAN)\Z",
    re.ASCII,
)
_GO_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def yaml_to_json(raw: bytes) -> bytes:
    """Return a YAML document as compact JSON: keys sorted, no blanks, `<`, `>`, `&` escaped as Go does.

    Raises:
        YamlError: Not one YAML document, or one without a single meaning in JSON.
    """
    if len(raw) > MAX_MANIFEST_BYTES:
        raise YamlError(f"a manifest has at most {MAX_MANIFEST_BYTES} bytes", code="yaml.too-large")
    try:
        node = _compose(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode()
        raise YamlError(
            f"byte {error.start} is not UTF-8",
            code="yaml.not-utf8",
            line=before.count("\n") + 1,
            column=len(before) - before.rfind("\n"),
            remedy="Save the file as UTF-8.",
        ) from None
    value = None if node is None else _Expansion().value(node, 0)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.translate(_GO_ESCAPES).encode("utf-8", "surrogatepass")


def as_json(raw: bytes) -> bytes:
    """Return a manifest file as the JSON to upload: JSON as it is, byte for byte, YAML converted.

    Raises:
        YamlError: As `yaml_to_json`.
    """
    return raw if is_json(raw) else yaml_to_json(raw)


def is_json(raw: bytes) -> bool:
    """Tell whether a manifest file is JSON: its first character is `{`."""
    return raw.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n").startswith(b"{")


def yaml_places(raw: bytes) -> YamlPlaces | None:
    """Return where things stand in a YAML document that `yaml_to_json` accepted; None if it is empty."""
    node = _compose(raw.decode("utf-8"))
    return None if node is None else YamlPlaces(node)


class _Loader(yaml.BaseLoader):
    """Composes nodes only; marks plain scalars, and stops at `MAX_DEPTH`."""

    _depth = 0

    def resolve(self, kind: type[yaml.Node], value: object, implicit: object) -> str:
        if kind is yaml.ScalarNode:
            return _PLAIN if isinstance(implicit, tuple) and implicit[0] else _TEXT
        return _CONTAINERS[kind is yaml.SequenceNode]

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise YamlError(f"nested deeper than {MAX_DEPTH} levels", code="yaml.too-deep")
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _compose(text: str) -> yaml.Node | None:
    try:
        loader = _Loader(text)
        node: yaml.Node | None = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise YamlError(str(error.problem or "not YAML"), line=line, column=column) from None
    except (yaml.YAMLError, ValueError, IndexError, RecursionError) as error:
        raise YamlError(f"not YAML: {str(error)[:200]}") from None
    return node


class _Expansion:
    """Turns nodes into values, counting: an alias costs what it stands for."""

    def __init__(self) -> None:
        self._values = MAX_VALUES
        self._characters = MAX_MANIFEST_BYTES

    def value(self, node: yaml.Node, depth: int) -> _Json:
        self._spend(node, depth)
        match node:
            case yaml.ScalarNode():
                return self._scalar(node)
            case yaml.SequenceNode() if node.tag in _CONTAINERS:
                return [self.value(item, depth + 1) for item in node.value]
            case yaml.MappingNode() if node.tag in _CONTAINERS:
                return self._mapping(node, depth)
        raise _error(node, f"the tag {node.tag[:60]!r} has no meaning in JSON", "yaml.tag")

    def _spend(self, node: yaml.Node, depth: int) -> None:
        self._values -= 1
        if depth > MAX_DEPTH:
            raise _error(
                node, f"nested deeper than {MAX_DEPTH} levels (an alias inside itself?)", "yaml.too-deep"
            )
        if self._values < 0 or self._characters < 0:
            raise _error(node, "expands to more than a manifest may hold", "yaml.too-large")

    def _scalar(self, node: yaml.ScalarNode) -> _Json:
        self._characters -= len(node.value)
        if node.tag == _TEXT:
            return str(node.value)
        if node.tag == _PLAIN:
            return _plain(node)
        raise _error(node, f"the tag {node.tag[:60]!r} has no meaning in JSON", "yaml.tag")

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, _Json]:
        found: dict[str, _Json] = {}
        merged: dict[str, _Json] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag == _PLAIN and key.value == "<<":
                for name, item in self._merge(value, depth).items():
                    merged.setdefault(name, item)
                continue
            name = self._key(key)
            if name in found:
                raise _error(key, f"the key {name[:60]!r} stands here a second time", "yaml.duplicate-key")
            found[name] = self.value(value, depth + 1)
        return merged | found

    def _key(self, node: yaml.Node) -> str:
        value = self._scalar(node) if isinstance(node, yaml.ScalarNode) else None
        if not isinstance(value, str):
            raise _error(node, "a key must be a text", "yaml.key", "Put it in quotes.")
        return value

    def _merge(self, node: yaml.Node, depth: int) -> dict[str, _Json]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        merged: dict[str, _Json] = {}
        for source in sources:
            if not isinstance(source, yaml.MappingNode) or depth >= MAX_DEPTH:
                raise _error(node, "only mappings can be merged with '<<'", "yaml.merge")
            self._spend(source, depth)
            for name, item in self._mapping(source, depth + 1).items():
                merged.setdefault(name, item)
        return merged


def _plain(node: yaml.ScalarNode) -> _Json:
    text: str = node.value
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.match(text):
        return int(text)
    if _BASED.match(text):
        return int(text, 0)
    if text.lower() in _OLD_BOOLEANS:
        raise _error(
            node, f"{text!r} is true or false to some readers and a text to others", "yaml.ambiguous", _QUOTE
        )
    if _ODD_NUMBER.match(text):
        raise _error(node, f"{text[:60]!r} reads as a number that no manifest holds", "yaml.number", _QUOTE)
    return text


_QUOTE = "Put a text in quotes; write true or false for a boolean."


def _error(node: yaml.Node, message: str, code: str, remedy: str | None = None) -> YamlError:
    mark = node.start_mark
    return YamlError(message, code=code, line=mark.line + 1, column=mark.column + 1, remedy=remedy)
