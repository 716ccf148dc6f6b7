"""Numbers that a program counts, and the page that shows them; every program of the bookstore has one."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = """<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="1"><title>{name}</title>
<body style="font-family:sans-serif;text-align:center;margin-top:15vh"><h1>{name}</h1>{rows}</body>
"""
ROW = '<p style="font-size:3em;margin:.3em">{label}: <b id="{key}">{value}</b></p>'


class Counter:
    """Named numbers, counted by many threads."""

    def __init__(self, name: str, *labels: str) -> None:
        self.name, self.values, self.lock = name, dict.fromkeys(labels, 0), threading.Lock()

    def add(self, label: str) -> int:
        """Count one more and return how many."""
        with self.lock:
            self.values[label] += 1
            return self.values[label]

    def page(self) -> bytes:
        """Return the page, which renews itself every second."""
        rows = [ROW.format(label=k, key=k.replace(" ", "-"), value=v) for k, v in self.values.items()]
        return PAGE.format(name=self.name, rows="".join(rows)).encode()

    def serve(self, port: int) -> None:
        """Show the page on a port, in a thread of its own."""
        counter = self

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                """Answer every path with the page."""
                answer(self, 200, counter.page(), "text/html")

            def log_message(self, *_: object) -> None:
                """Say nothing about visitors."""

        threading.Thread(
            target=ThreadingHTTPServer(("127.0.0.1", port), Page).serve_forever, daemon=True
        ).start()


def answer(request: BaseHTTPRequestHandler, status: int, body: bytes, kind: str = "application/json") -> None:
    """Send one whole answer."""
    request.send_response(status)
    request.send_header("Content-Type", kind)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
