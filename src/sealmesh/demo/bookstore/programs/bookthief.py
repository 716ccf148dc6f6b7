"""The bookthief: the bookbuyer's code, but it has no card and does not pay."""

from bookbuyer import shop  # type: ignore[import-not-found]

if __name__ == "__main__":
    shop("bookthief", "books stolen", None)
