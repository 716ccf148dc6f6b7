"""The bookbuyer: buys a book from the bookstore again and again, and pays with its card."""

import os
import time

import requests
from counter import Counter  # type: ignore[import-not-found]


def shop(name: str, label: str, card: str | None) -> None:
    """Ask for a book every now and then; count and tell how it went."""
    counter = Counter(name, label)
    counter.serve(int(os.environ["PAGE_PORT"]))
    url = f"http://{os.environ['BOOKSTORE']}/buy-a-book"
    while True:
        try:
            reply = requests.post(url, json={"name": name, "card": card}, timeout=10)
            reply.raise_for_status()
        except requests.RequestException as error:
            print(f"{name}: no book: {reason(error)}", flush=True)
        else:
            print(f"{name}: {label}: {counter.add(label)}, {reply.json()['title']!r}", flush=True)
        time.sleep(float(os.environ.get("PAUSE_SECONDS", "0.3")))


def reason(error: BaseException) -> str:
    """Return the innermost cause, which says most."""
    while error.__context__ is not None:
        error = error.__context__
    return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    shop("bookbuyer", "books bought", os.environ["CARD"])
