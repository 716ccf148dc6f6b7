"""Read what a certificate secret shall contain: fields of Go's `x509.Certificate` (COMPAT section 9)."""

import re
from datetime import UTC, datetime

from sealmesh.manifest.model import CertificateTemplate, IpAddress, SubjectTemplate
from sealmesh.manifest.reading.names import parse_address
from sealmesh.manifest.reading.view import Reading, View
from sealmesh.manifest.report import quoted
from sealmesh.manifest.shapes import SUBJECT, URI

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d+))?(?:Z|[+-]\d\d:\d\d)\Z", re.ASCII)

_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_IN_PATH = frozenset(_UNRESERVED + b"/:@!$&'()*+,;=")
_IN_FRAGMENT = frozenset(_UNRESERVED + b"/:@!$&'()*+,;=?")


def read_certificate_template(reading: Reading, view: View) -> CertificateTemplate:
    """Read one template."""
    return CertificateTemplate(
        subject=_subject(view.view("Subject", SUBJECT)),
        dns_names=view.optional_texts("DNSNames"),
        ip_addresses=_addresses(reading, view),
        email_addresses=view.optional_texts("EmailAddresses"),
        uris=_uris(reading, view),
        key_usage=view.integer("KeyUsage"),
        ext_key_usage=view.integers("ExtKeyUsage"),
        is_ca=view.flag("IsCA"),
        max_path_len=view.integer("MaxPathLen"),
        max_path_len_zero=view.flag("MaxPathLenZero"),
        not_after=_time(reading, view, "NotAfter"),
    )


def _subject(view: View) -> SubjectTemplate:
    return SubjectTemplate(
        common_name=view.text("CommonName"),
        serial_number=view.text("SerialNumber"),
        country=view.texts("Country"),
        organization=view.texts("Organization"),
        organizational_unit=view.texts("OrganizationalUnit"),
        locality=view.texts("Locality"),
        province=view.texts("Province"),
        street_address=view.texts("StreetAddress"),
        postal_code=view.texts("PostalCode"),
    )


def _addresses(reading: Reading, view: View) -> tuple[IpAddress, ...] | None:
    texts = view.optional_texts("IPAddresses")
    if texts is None:
        return None
    addresses = []
    for index, text in enumerate(texts):
        address = parse_address(text)
        if address is None:
            path = (*view.at("IPAddresses"), index)
            reading.report.add("secret.bad-address", path, f"{quoted(text)} is not an IP address.")
        else:
            addresses.append(address)
    return tuple(addresses)


def _uris(reading: Reading, view: View) -> tuple[str, ...] | None:
    items = view.items("URIs")
    return None if items is None else tuple(_uri(View(reading, value, path, URI)) for path, value in items)


def _uri(view: View) -> str:
    scheme, host, path = view.text("Scheme"), view.text("Host"), view.text("Path")
    opaque, query, fragment = view.text("Opaque"), view.text("RawQuery"), view.text("Fragment")
    text = f"{scheme}:" if scheme else ""
    if opaque:
        text += opaque
    else:
        if host:
            text += f"//{host}"
            path = path if path.startswith("/") or not path else f"/{path}"
        text += _escaped(path, _IN_PATH)
    text += f"?{query}" if query else ""
    return text + (f"#{_escaped(fragment, _IN_FRAGMENT)}" if fragment else "")


def _escaped(text: str, kept: frozenset[int]) -> str:
    """Percent-encode what may not stand in this part of a URI (RFC 3986, section 2)."""
    return "".join(chr(byte) if byte in kept else f"%{byte:02X}" for byte in text.encode())


def _time(reading: Reading, view: View, name: str) -> datetime | None:
    if not view.has(name):
        return None
    text = view.text(name)
    try:
        return parse_time(text)
    except ValueError:
        reading.report.add(
            "secret.bad-time",
            view.at(name),
            f"{quoted(text)} is not a time.",
            remedy="Write it as RFC 3339 says, for example 2030-12-31T23:59:59Z.",
        )
        return None


def parse_time(text: str) -> datetime:
    """Return the moment of an RFC 3339 text, in UTC, cut to microseconds.

    Raises:
        ValueError: It is none.
    """
    match = _RFC3339.match(text)
    if match is None:
        raise ValueError("not RFC 3339")
    whole = text.replace(f".{match[1]}", f".{match[1][:6].ljust(6, '0')}") if match[1] else text
    try:
        return datetime.fromisoformat(whole).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("beyond the calendar") from error
