"""Distinguished names as Go shows them. Source: documentation of `crypto/x509/pkix`; RFC 2253, section 2."""

from dataclasses import dataclass

from cryptography import x509

from sealmesh.provisioning.gotemplate import Slice, StructOf, Value

__all__ = ["name_value", "subject_value"]


@dataclass(frozen=True, slots=True)
class _Attribute:
    dotted: str
    short: str
    field: str
    single: bool = False


#: In the order in which Go writes them; the string form is reversed.
_ATTRIBUTES = (
    _Attribute("2.5.4.6", "C", "Country"),
    _Attribute("2.5.4.8", "ST", "Province"),
    _Attribute("2.5.4.7", "L", "Locality"),
    _Attribute("2.5.4.9", "STREET", "StreetAddress"),
    _Attribute("2.5.4.17", "POSTALCODE", "PostalCode"),
    _Attribute("2.5.4.10", "O", "Organization"),
    _Attribute("2.5.4.11", "OU", "OrganizationalUnit"),
    _Attribute("2.5.4.3", "CN", "CommonName", single=True),
    _Attribute("2.5.4.5", "SERIALNUMBER", "SerialNumber", single=True),
)
_KNOWN = frozenset(attribute.dotted for attribute in _ATTRIBUTES)
_PRINTABLE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?")
_SPECIAL = ',+"\\<>;'


def name_value(name: x509.Name) -> Value:
    """Return a distinguished name as Go's `pkix.Name`."""
    values: dict[str, list[str]] = {}
    for attribute in name:
        value = attribute.value
        text = value if isinstance(value, str) else value.decode("latin-1")
        values.setdefault(attribute.oid.dotted_string, []).append(text)
    others = [
        f"{dotted}=#{_der(text)}"
        for dotted, texts in values.items()
        if dotted not in _KNOWN
        for text in texts
    ]
    return _name(values, tuple(others))


def subject_value(**attributes: str | tuple[str, ...] | None) -> Value:
    """Return the `pkix.Name` with these fields (`CommonName="x"`, `Country=("DE",)`)."""
    by_field = {attribute.field: attribute.dotted for attribute in _ATTRIBUTES}
    values: dict[str, list[str]] = {}
    for field, value in attributes.items():
        if value:
            values[by_field[field]] = [value] if isinstance(value, str) else list(value)
    return _name(values)


def _name(values: dict[str, list[str]], others: tuple[str, ...] = ()) -> Value:
    fields: dict[str, Value] = {}
    shown = list(others)
    for attribute in _ATTRIBUTES:
        texts = values.get(attribute.dotted, [])
        encoded = tuple(text.encode() for text in texts)
        # Go keeps the last of several common names.
        fields[attribute.field] = (
            (encoded[-1] if encoded else b"") if attribute.single else Slice(encoded, "[]string")
        )
        kept = texts[-1:] if attribute.single else texts
        if kept:
            shown.append("+".join(f"{attribute.short}={_escaped(text)}" for text in kept))
    return StructOf(fields, "pkix.Name", ",".join(reversed(shown)).encode())


def _escaped(text: str) -> str:
    out = "".join(f"\\{c}" if c in _SPECIAL else c for c in text)
    if out.startswith(("#", " ")):
        out = "\\" + out
    if out.endswith(" ") and not out.endswith("\\ "):
        out = out[:-1] + "\\ "
    return out


def _der(text: str) -> str:
    """Return an attribute that Go has no name for, as it writes the value: DER in hex."""
    data = text.encode()
    tag = "13" if _PRINTABLE.issuperset(text) else "0c"
    if len(data) < 128:
        length = f"{len(data):02x}"
    else:
        size = (len(data).bit_length() + 7) // 8
        length = f"{0x80 | size:02x}{len(data):0{2 * size}x}"
    return tag + length + data.hex()
