"""Read TLS tags."""

from sealmesh.manifest.json_values import JsonValue
from sealmesh.manifest.model import Incoming, Outgoing, TlsTag
from sealmesh.manifest.reading.view import Reading, View
from sealmesh.manifest.report import Path
from sealmesh.manifest.shapes import INCOMING, OUTGOING, TLS_TAG


def read_tls_tag(reading: Reading, value: JsonValue, path: Path) -> TlsTag:
    """Read one TLS tag."""
    view = View(reading, value, path, TLS_TAG)
    return TlsTag(
        incoming=tuple(
            _incoming(View(reading, item, at, INCOMING)) for at, item in view.items("Incoming") or ()
        ),
        outgoing=tuple(
            _outgoing(View(reading, item, at, OUTGOING)) for at, item in view.items("Outgoing") or ()
        ),
    )


def _incoming(view: View) -> Incoming:
    return Incoming(
        port=view.text("Port"), cert=view.text("Cert"), disable_client_auth=view.flag("DisableClientAuth")
    )


def _outgoing(view: View) -> Outgoing:
    return Outgoing(addr=view.text("Addr"), port=view.text("Port"))
