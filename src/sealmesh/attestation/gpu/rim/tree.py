"""XML as an XML signature covers it: elements, attributes and namespaces, read strictly and within bounds.

Refused: a document type (and with it all entities but the five of XML), processing instructions, attributes
of the `xml` namespace, prefixes that were not declared. Comments are left out, as canonical XML leaves them
out.

Source: W3C, Extensible Markup Language 1.0 (fifth edition); Namespaces in XML 1.0 (third edition).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Never
from xml.parsers import expat

from sealmesh.errors.attestation import EndorsementFormatError

MAX_BYTES: Final = 256 * 1024
_MAX_DEPTH: Final = 16
_MAX_ELEMENTS: Final = 2048
_DECLARATION: Final = "xmlns"


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A name: how it is written, and the namespace that its prefix stands for; empty where there is none."""

    prefix: str
    local: str
    namespace: str

    @property
    def written(self) -> str:
        """As it stands in the document."""
        return f"{self.prefix}:{self.local}" if self.prefix else self.local


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """An element.

    Attributes:
        name: Its name.
        attributes: In the order of the document, without declarations of namespaces.
        namespaces: All that are in scope, by prefix; empty prefix: the default.
        children: Elements and texts, in order.
    """

    name: Name
    attributes: tuple[tuple[Name, str], ...]
    namespaces: Mapping[str, str]
    children: "list[Element | str]" = field(default_factory=list)

    def is_named(self, namespace: str, local: str) -> bool:
        """Return whether this is such an element."""
        return (self.name.namespace, self.name.local) == (namespace, local)

    def attribute(self, local: str, namespace: str = "") -> str | None:
        """Return an attribute's value."""
        for name, value in self.attributes:
            if (name.namespace, name.local) == (namespace, local):
                return value
        return None

    @property
    def elements(self) -> "list[Element]":
        """The elements among the children."""
        return [child for child in self.children if isinstance(child, Element)]

    @property
    def text(self) -> str:
        """The text of an element that has nothing else."""
        return "".join(child for child in self.children if isinstance(child, str))

    def walk(self) -> "Iterator[Element]":
        """Yield this element and all below it."""
        yield self
        for child in self.elements:
            yield from child.walk()


def parse_document(raw: bytes) -> Element:
    """Return the root element.

    Raises:
        EndorsementFormatError: `format:rim` or `limit:rim`.
    """
    if len(raw) > MAX_BYTES:
        raise EndorsementFormatError(
            "the RIM is too long", code="limit:rim", found=len(raw), wanted=MAX_BYTES
        )
    building = _Building()
    parser = expat.ParserCreate("utf-8")
    parser.ordered_attributes = True
    parser.buffer_text = True
    parser.StartElementHandler = building.start
    parser.EndElementHandler = building.end
    parser.CharacterDataHandler = building.characters
    parser.StartDoctypeDeclHandler = building.refuse
    parser.ProcessingInstructionHandler = building.refuse
    try:
        parser.Parse(raw, True)
    except (expat.ExpatError, ValueError) as error:
        raise EndorsementFormatError(
            f"the RIM is no XML that is read here: {error}", code="format:rim"
        ) from error
    return building.root


class _Building:
    """Makes elements of what the parser reports."""

    def __init__(self) -> None:
        self._open: list[Element] = []
        self._left = _MAX_ELEMENTS
        self._root: Element | None = None

    @property
    def root(self) -> Element:
        if self._root is None:
            raise EndorsementFormatError("the RIM has no element", code="format:rim")
        return self._root

    def start(self, name: str, given: list[str]) -> None:
        self._left -= 1
        if self._left < 0 or len(self._open) >= _MAX_DEPTH:
            raise ValueError("too many elements, or too deep")
        pairs = list(zip(given[::2], given[1::2], strict=True))
        above = self._open[-1].namespaces if self._open else {}
        namespaces = {**above, **_declared(pairs)}
        attributes = tuple(
            (_resolved(key, namespaces, default=""), value)
            for key, value in pairs
            if not _is_declaration(key)
        )
        if len({(key.namespace, key.local) for key, _ in attributes}) != len(attributes):
            raise ValueError(f"an attribute of {name} stands twice")
        resolved = _resolved(name, namespaces, default=namespaces.get("", ""))
        element = Element(name=resolved, attributes=attributes, namespaces=namespaces)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self._root = element
        self._open.append(element)

    def end(self, name: str) -> None:
        self._open.pop()

    def characters(self, text: str) -> None:
        self._open[-1].children.append(text)

    def refuse(self, *_: object) -> Never:
        raise ValueError("a document type or a processing instruction")


def _is_declaration(key: str) -> bool:
    return key == _DECLARATION or key.startswith(f"{_DECLARATION}:")


def _declared(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Return the namespaces that an element declares, by prefix."""
    found = {key.partition(":")[2]: uri for key, uri in pairs if _is_declaration(key)}
    for prefix, uri in found.items():
        if prefix.startswith("xml") or (prefix and not uri):
            raise ValueError(f"the namespace {prefix} cannot be declared so")
    return found


def _resolved(written: str, namespaces: Mapping[str, str], *, default: str) -> Name:
    prefix, colon, local = written.rpartition(":")
    if not colon:
        return Name(prefix="", local=written, namespace=default)
    if not local or ":" in prefix or prefix not in namespaces:
        raise ValueError(f"the prefix of {written} is not declared")
    return Name(prefix=prefix, local=local, namespace=namespaces[prefix])
