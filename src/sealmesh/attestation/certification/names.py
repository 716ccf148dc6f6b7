"""Distinguished names as text. Source: RFC 4514."""

from sealmesh.attestation.certification.der import DerReader, Tag, read_oid

_ATTRIBUTES = {
    "2.5.4.3": "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
}
_SPECIAL = frozenset('\\"+,;<>')


def format_name(name: bytes) -> str:
    """Return a Name (DER, the whole element) as RFC 4514 writes it, most specific part first.

    Raises:
        ValueError: It is not a Name.
    """
    outer = DerReader(name)
    sets = outer.sequence()
    outer.finish()
    parts = []
    while sets.tag == Tag.SET:
        attributes = DerReader(sets.content(Tag.SET))
        pairs = []
        while attributes.tag == Tag.SEQUENCE:
            attribute = attributes.sequence()
            oid = read_oid(attribute.content(Tag.OID))
            value = attribute.content(attribute.tag).decode("utf-8", "replace")
            attribute.finish()
            pairs.append(f"{_ATTRIBUTES.get(oid, oid)}={_escape(value)}")
        attributes.finish()
        parts.append("+".join(pairs))
    sets.finish()
    return ",".join(reversed(parts))


def _escape(value: str) -> str:
    text = "".join(f"\\{c}" if c in _SPECIAL else c.replace("\0", "\\00") for c in value)
    if text.startswith((" ", "#")):
        text = "\\" + text
    return text[:-1] + "\\ " if text.endswith(" ") and len(text) > 1 else text
