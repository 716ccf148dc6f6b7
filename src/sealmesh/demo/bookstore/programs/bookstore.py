"""The bookstore: takes a book out of the warehouse for whoever asks. It trusts its network."""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests
from counter import Counter, answer  # type: ignore[import-not-found]

WAREHOUSE = f"http://{os.environ['BOOKWAREHOUSE']}"
counter = Counter("bookstore", "books sold", "books stolen")


class Store(BaseHTTPRequestHandler):
    """The counter where books are handed out."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Hand out a book; with a card it was sold."""
        if self.path != "/buy-a-book":
            answer(self, 404, b"{}")
            return
        order = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        paid = bool(order.get("card"))
        book = requests.post(f"{WAREHOUSE}/take", json={"buyer": order["name"]}, timeout=10).json()
        counter.add("books sold" if paid else "books stolen")
        print(f"bookstore: a book for {order['name']}, {'paid' if paid else 'NOT PAID'}", flush=True)
        answer(self, 200, json.dumps({"title": book["title"], "paid": paid}).encode())

    def do_GET(self) -> None:
        """Show the numbers."""
        answer(self, 200, counter.page(), "text/html")

    def log_message(self, *_: object) -> None:
        """Say nothing about visitors."""


if __name__ == "__main__":
    counters = os.environ["COUNTER_PORT"]  # a second door, for customers who come in person
    door = ThreadingHTTPServer(("127.0.0.1", int(counters)), Store)
    threading.Thread(target=door.serve_forever, daemon=True).start()
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Store).serve_forever()
