"""Canonical XML 1.1 without comments, of an element with all namespaces in scope ("inclusive").

Source: W3C, Canonical XML Version 1.1, sections 2.2 (document subsets) and 2.3 (processing model). What its
rules for `xml:` attributes are about does not occur: the reader refuses such attributes.
"""

from collections.abc import Iterator, Mapping

from sealmesh.attestation.gpu.rim.tree import Element

_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})
_IN_ATTRIBUTE = str.maketrans(
    {"&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"}
)


def canonical(element: Element, *, without: Element | None = None) -> bytes:
    """Return the canonical form of `element`, leaving out the element `without` and all below it."""
    return "".join(_written(element, {}, without)).encode()


def _written(element: Element, rendered: Mapping[str, str], without: Element | None) -> Iterator[str]:
    """Yield the pieces; `rendered` is what the nearest output ancestor has in scope."""
    if element is without:
        return
    yield f"<{element.name.written}"
    for prefix, uri in sorted(element.namespaces.items()):
        if rendered.get(prefix, "") != uri:
            yield f' xmlns{":" if prefix else ""}{prefix}="{uri.translate(_IN_ATTRIBUTE)}"'
    for name, value in sorted(element.attributes, key=lambda item: (item[0].namespace, item[0].local)):
        yield f' {name.written}="{value.translate(_IN_ATTRIBUTE)}"'
    yield ">"
    for child in element.children:
        if isinstance(child, str):
            yield child.translate(_IN_TEXT)
        else:
            yield from _written(child, element.namespaces, without)
    yield f"</{element.name.written}>"
