"""The counter pages for a browser, fetched from the services over attested connections.

A browser does not know the mesh's root, so this little server is the verified customer for it: it serves
plain HTTP on loopback and asks each service over a connection pinned on the verified application.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from sealmesh.client import VerifiedApplication, marble_transport
from sealmesh.demo.bookstore.mesh import HOST
from sealmesh.errors import SealmeshError


@contextmanager
def counter_pages(application: VerifiedApplication, ports: Mapping[str, int]) -> Iterator[dict[str, str]]:
    """Serve the pages of the Marble types in `ports`; give their URLs by Marble type."""
    clients = {
        name: httpx.Client(
            base_url=f"https://{HOST}:{port}",
            transport=marble_transport(application, name),
            trust_env=False,
            timeout=5,
        )
        for name, port in ports.items()
    }

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer `/TYPE` with that service's page."""
            client = clients.get(self.path.strip("/"))
            if client is None:
                self.send_error(404)
                return
            try:
                body = client.get("/").content
            except (httpx.HTTPError, SealmeshError) as error:
                body = f"<meta http-equiv=refresh content=1><p>{type(error).__name__}: not there now".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing about visitors."""

    server = ThreadingHTTPServer((HOST, 0), Page)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield {name: f"http://{HOST}:{server.server_address[1]}/{name}" for name in ports}
    finally:
        server.shutdown()
        server.server_close()
        for client in clients.values():
            client.close()
