"""The bookwarehouse: keeps the books and who took them in an encrypted database file."""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import apsw
from counter import answer  # type: ignore[import-not-found]

TITLES = (
    "The Sealed Letter",
    "A Room with a Quote",
    "Mutual Friends",
    "The Name of the Root",
    "Enclave Road",
)
lock = threading.Lock()


def open_books(path: str, key: str) -> apsw.Connection:
    """Open the database with its key; a wrong key cannot read a page of it."""
    books = apsw.Connection(path)
    books.pragma("cipher", "chacha20")
    books.pragma("hexkey", key)
    books.execute("CREATE TABLE IF NOT EXISTS taken (id INTEGER PRIMARY KEY, title TEXT, buyer TEXT)")
    return books


class Warehouse(BaseHTTPRequestHandler):
    """The gate of the warehouse."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Give out a book and write down who took it."""
        order = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        with lock:
            count = books.execute("SELECT count(*) FROM taken").get
            title = TITLES[count % len(TITLES)]
            books.execute("INSERT INTO taken (title, buyer) VALUES (?, ?)", (title, order["buyer"]))
        print(f"bookwarehouse: book {count + 1}, {title!r}", flush=True)
        answer(self, 200, json.dumps({"title": title, "number": count + 1}).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing about visitors."""


if __name__ == "__main__":
    books = open_books(os.environ.get("BOOKS_FILE", "books.db"), os.environ["BOOKS_KEY"])
    taken = books.execute("SELECT count(*) FROM taken").get
    print(f"bookwarehouse: {taken} books taken so far", flush=True)
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Warehouse).serve_forever()
