"""The bookstore's manifest: what may join, what it gets, who may call whom."""

import json
from collections.abc import Mapping
from typing import Any

from sealmesh.demo.bookstore.stage import Ports
from sealmesh.demo.bookstore.tees import package_of

HOST = "127.0.0.1"


def bookstore_manifest(
    unique_ids: Mapping[str, str], ports: Ports, *, wire: int, card: str, mixed: bool = False
) -> bytes:
    """Return the manifest as JSON.

    Args:
        unique_ids: Marble type to the measurement of its package.
        ports: Where everybody listens.
        wire: The port at which the tap forwards to the bookstore; callers of the bookstore dial it.
        mixed: Whether the services run in different TEEs.
        card: How the buyer's card number begins, for the tap to look for; the rest is a secret.
    """
    document = {
        "Packages": {
            name: package_of(name, unique_id, mixed=mixed) for name, unique_id in unique_ids.items()
        },
        "Marbles": {
            "bookwarehouse": _marble(
                "bookwarehouse", {"PORT": str(ports.warehouse), "BOOKS_KEY": "{{ hex .Secrets.booksKey }}"}
            ),
            "bookstore": _marble(
                "bookstore",
                {
                    "PORT": str(ports.store),
                    "COUNTER_PORT": str(ports.counter),
                    "BOOKWAREHOUSE": f"{HOST}:{ports.warehouse}",
                },
            ),
            "bookbuyer": _marble(
                "bookbuyer",
                {
                    **_shopper(wire, ports.buyer_page),
                    "CARD": card + "-{{ hex .Secrets.card }}",
                    "PAUSE_SECONDS": "0.2",
                },
            ),
            "bookthief": _marble("bookthief", _shopper(wire, ports.thief_page)),
        },
        "TLS": {
            "bookwarehouse": {"Incoming": [_port(ports.warehouse)]},
            "bookstore": {
                "Incoming": [_port(ports.store), _port(ports.counter)],
                "Outgoing": [_address(ports.warehouse)],
            },
            "bookbuyer": {"Incoming": [_port(ports.buyer_page)], "Outgoing": [_address(wire)]},
            "bookthief": {"Incoming": [_port(ports.thief_page)], "Outgoing": [_address(wire)]},
        },
        "Secrets": {
            "booksKey": {"Type": "symmetric-key", "Size": 256, "Shared": True},
            "card": {"Type": "symmetric-key", "Size": 64, "Shared": True},
        },
        "Access": [
            _rule("bookbuyer", "bookstore", ports.store),
            _rule("bookstore", "bookwarehouse", ports.warehouse),
            _rule("@anyone", "bookstore", ports.counter),
            _rule("@anyone", "bookbuyer", ports.buyer_page),
            _rule("@anyone", "bookthief", ports.thief_page),
        ],
        "Simulation": True,
        "Config": {"FeatureGates": ["Access", "Simulation", *(["Evidence"] if mixed else [])]},
    }
    return json.dumps(document, indent=2).encode()


def _marble(name: str, env: Mapping[str, str]) -> dict[str, Any]:
    return {"Package": name, "TLS": [name], "Parameters": {"Env": env}}


def _shopper(wire: int, page: int) -> dict[str, str]:
    return {"BOOKSTORE": f"{HOST}:{wire}", "PAGE_PORT": str(page)}


def _port(port: int) -> dict[str, str]:
    return {"Port": str(port)}


def _address(port: int) -> dict[str, str]:
    return {"Addr": HOST, "Port": str(port)}


def _rule(caller: str, callee: str, port: int) -> dict[str, Any]:
    return {"From": [caller], "To": callee, "Ports": [str(port)]}
