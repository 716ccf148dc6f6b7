"""An attacker who knocks at a service's door from outside the mesh, with what it has."""

import socket
import ssl
from pathlib import Path

from sealmesh.demo.bookstore.mesh import HOST

PATIENCE_SECONDS = 5.0
REQUEST = b"POST /buy-a-book HTTP/1.1\r\nHost: x\r\nContent-Length: 17\r\n\r\n" + b'{"name": "thief"}'


def knock_in_plaintext(port: int) -> bytes:
    """Ask for a book without TLS; return what the service says, nothing if it just hangs up."""
    with socket.create_connection((HOST, port), PATIENCE_SECONDS) as wire:
        try:
            wire.sendall(REQUEST)
            return wire.recv(65536)
        except ConnectionError:
            return b""


def knock_with_tls(port: int, credentials: Path | None) -> str:
    """Ask for a book over TLS, with a certificate or without; return why it was refused.

    Returns:
        OpenSSL's name for the alert, `closed` if the service just hung up, `answered: ...` if it let us in.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if credentials is not None:
        context.load_cert_chain(credentials)
    with socket.create_connection((HOST, port), PATIENCE_SECONDS) as wire:
        try:
            with context.wrap_socket(wire) as service:
                service.sendall(REQUEST)
                answer = service.recv(65536)
        except ssl.SSLError as error:
            return error.reason or str(error)
        except ConnectionError:
            return "closed"
    return f"answered: {answer[:40]!r}" if answer else "closed"
