"""`html`, `js` and `urlquery`: escaping as Go's `text/template` does it."""

import re

from sealmesh.provisioning.gotemplate.format.spec import decode

__all__ = ["escape_html", "escape_js", "escape_query"]

_HTML = {0: "\ufffd", 34: "&#34;", 39: "&#39;", 38: "&amp;", 60: "&lt;", 62: "&gt;"}
_HTML_BYTES = {bytes([code]): text.encode() for code, text in _HTML.items()}
_HTML_RE = re.compile(rb"[\x00\"'&<>]")
_JS = {"\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "=": "\\u003D"}
_JS_RE = re.compile("[\\\\'\"<>&=\\x00-\\x1f]|[^\\x00-\\x7f]")
_QUERY_RE = re.compile(rb"[^A-Za-z0-9_.~-]")


def escape_html(data: bytes) -> bytes:
    """Escape the five characters of HTML; NUL becomes U+FFFD."""
    return _HTML_RE.sub(lambda found: _HTML_BYTES[found[0]], data)


def escape_js(data: bytes) -> bytes:
    """Escape for a JavaScript string."""
    return _JS_RE.sub(_js, decode(data)).encode("utf-8", "surrogateescape")


def _js(found: re.Match[str]) -> str:
    character = found[0]
    if character in _JS:
        return _JS[character]
    if character.isprintable() or "\udc80" <= character <= "\udcff":
        return character
    return f"\\u{ord(character):04X}"


def escape_query(data: bytes) -> bytes:
    """Escape for a URL's query; a blank becomes a plus sign."""
    return _QUERY_RE.sub(lambda found: b"+" if found[0] == b" " else b"%%%02X" % found[0][0], data)
