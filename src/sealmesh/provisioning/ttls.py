"""Which connections of a Marble are wrapped in TLS: MarbleRun's document and ours (COMPAT section 7)."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sealmesh.errors.provisioning import SecretNotGenerated, SecretUnset
from sealmesh.manifest import Incoming, Manifest, Outgoing
from sealmesh.provisioning.data.root import MarbleRunSecrets
from sealmesh.provisioning.pem import authority_pem, to_pem
from sealmesh.provisioning.secret import Secret

__all__ = ["own_ttls", "ttls_config"]


def ttls_config(
    manifest: Manifest, marble_type: str, *, special: MarbleRunSecrets, secrets: Mapping[str, Secret]
) -> bytes | None:
    """Return the value of `MARBLE_TTLS_CONFIG`, None for a type without TLS tags.

    An address in two tags has one entry, the last. Where an entry names a secret, its certificate and key
    are shown and no client certificate is asked for.

    Args:
        manifest: Where the tags are.
        marble_type: A type of `manifest`.
        special: Marble root, leaf and the leaf's private key.
        secrets: At least the certificates that the tags name.

    Raises:
        SecretUnset: A certificate that a tag names was not uploaded.
    """
    marble = manifest.marbles[marble_type]
    if not marble.tls:
        return None
    root = authority_pem(special.root_ca).decode()
    own = {
        "cacrt": root,
        "clicrt": to_pem("CERTIFICATE", special.marble_cert).decode(),
        "clikey": to_pem("PRIVATE KEY", special.marble_private).decode(),
    }
    incoming: dict[str, Any] = {}
    for item in _incoming(manifest, marble.tls):
        entry = {**own, **_served(item, secrets, "clicrt", "clikey")} if item.cert else own
        incoming[f"*:{item.port}"] = {**entry, "clientAuth": not (item.cert or item.disable_client_auth)}
    outgoing = {f"{item.addr}:{item.port}": own for item in _outgoing(manifest, marble.tls)}
    return _json({"tls": {"Incoming": incoming, "Outgoing": outgoing}})


def own_ttls(manifest: Manifest, marble_type: str, *, secrets: Mapping[str, Secret]) -> bytes | None:
    """Return the same for a Marble that has its own key, None for a type without TLS tags.

    `{"incoming": [{"port", "client_auth", "certificate", "key"}], "outgoing": [{"host", "port"}]}`, without
    the Marble's certificate and key; `certificate` and `key` are PEM where a secret is shown, else null.

    Args:
        manifest: Where the tags are.
        marble_type: A type of `manifest`.
        secrets: At least the certificates that the tags name.

    Raises:
        SecretUnset: A certificate that a tag names was not uploaded.
        SecretNotGenerated: A port is no number from 1 to 65535.
    """
    marble = manifest.marbles[marble_type]
    if not marble.tls:
        return None
    incoming: dict[int, Any] = {}
    for item in _incoming(manifest, marble.tls):
        port = _port(item.port)
        shown: dict[str, str | None] = {"certificate": None, "key": None}
        if item.cert:
            shown |= _served(item, secrets, "certificate", "key")
        incoming[port] = {"port": port, "client_auth": not (item.cert or item.disable_client_auth), **shown}
    outgoing = {(item.addr, _port(item.port)): None for item in _outgoing(manifest, marble.tls)}
    return _json(
        {
            "incoming": list(incoming.values()),
            "outgoing": [{"host": host, "port": port} for host, port in outgoing],
        }
    )


def _incoming(manifest: Manifest, tags: tuple[str, ...]) -> Iterator[Incoming]:
    for tag in tags:
        yield from manifest.tls[tag].incoming


def _outgoing(manifest: Manifest, tags: tuple[str, ...]) -> Iterator[Outgoing]:
    for tag in tags:
        yield from manifest.tls[tag].outgoing


def _served(item: Incoming, secrets: Mapping[str, Secret], certificate: str, key: str) -> dict[str, str]:
    secret = secrets.get(item.cert)
    if secret is None or not secret.cert or not secret.private:
        raise SecretUnset(f"the certificate `{item.cert}` for incoming port {item.port} has no value yet")
    return {
        certificate: to_pem("CERTIFICATE", secret.cert).decode(),
        key: to_pem("PRIVATE KEY", secret.private).decode(),
    }


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535:
        return int(text)
    raise SecretNotGenerated("a TLS tag has a port that is no number", found=ascii(text), wanted="1 to 65535")


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
