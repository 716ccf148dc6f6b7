"""The Marble's TLS tags as they come: in our own document, or in MarbleRun's `MARBLE_TTLS_CONFIG`."""

import json
from collections.abc import Mapping
from typing import Any

from sealmesh.dataplane.configuration import IncomingRule, OutgoingRule
from sealmesh.dataplane.reader import Reader
from sealmesh.errors.marble import CoordinatorRefused
from sealmesh.marble.membership import TlsRules


def parse_own(raw: bytes) -> TlsRules:
    """Read the document of our enrolment; empty means no tags.

    Raises:
        CoordinatorRefused: It is not of this form.
        DataplaneConfigurationError: A field is missing or of another type.
    """
    if not raw:
        return TlsRules()
    with Reader.of(_json(raw), "tls") as reader:
        return TlsRules(
            incoming=tuple(IncomingRule.parse(item) for item in reader.items("incoming")),
            outgoing=tuple(OutgoingRule.parse(item) for item in reader.items("outgoing")),
        )


def parse_marblerun(raw: bytes) -> TlsRules:
    """Read `MARBLE_TTLS_CONFIG` (COMPAT section 7).

    Raises:
        CoordinatorRefused: It is not of this form.
    """
    try:
        tls = _json(raw)["tls"]
        return TlsRules(
            incoming=tuple(_incoming(place, entry) for place, entry in tls["Incoming"].items()),
            outgoing=tuple(_outgoing(place) for place in tls["Outgoing"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise CoordinatorRefused(
            "MARBLE_TTLS_CONFIG is not as MarbleRun writes it", found=repr(error)
        ) from error


def _incoming(place: str, entry: Mapping[str, Any]) -> IncomingRule:
    outsiders = not entry["clientAuth"]
    return IncomingRule(
        port=_port(place.rpartition(":")[2]),
        client_auth=not outsiders,
        certificate=str(entry["clicrt"]) if outsiders else None,
        key=str(entry["clikey"]) if outsiders else None,
    )


def _outgoing(place: str) -> OutgoingRule:
    host, _, port = place.rpartition(":")
    return OutgoingRule(host=host, port=_port(port))


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise ValueError(f"not a port: {text[:20]}")
    return int(text)


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise CoordinatorRefused("The Coordinator's TLS document is not JSON") from error
