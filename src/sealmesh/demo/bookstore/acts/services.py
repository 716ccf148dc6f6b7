"""Act 2: the services join, the buyer buys, the tap sees only TLS."""

from sealmesh.demo.bookstore.marbles import install, start_marble
from sealmesh.demo.bookstore.stage import Stage
from sealmesh.demo.programs import listening
from sealmesh.demo.tap import only_tls

NAME = "the services join, the buyer buys, the tap sees only TLS"


def play(stage: Stage) -> None:
    """Start the same programs with `sealmesh run` before them."""
    mesh, ports = stage.the_mesh(), stage.ports
    for name in ("bookwarehouse", "bookstore", "bookbuyer"):
        folder = install(mesh.packages[name], stage.folder / "run" / name)
        stage.services[name] = start_marble(stage, mesh, name, folder)
    warehouse, store, buyer = stage.services.values()
    warehouse.wait_until(lambda: listening(ports.warehouse), "a listening warehouse")
    store.wait_until(lambda: listening(ports.store), "a listening store")
    buyer.wait_for("books bought: 3")
    stage.narrator.quote(buyer.output().splitlines()[-1])
    stage.narrator.check("the buyer buys", "books bought: 3" in buyer.output())
    _look_at_the_wire(stage)
    books = (warehouse.folder / "books.db").read_bytes()
    stage.narrator.check(
        "the warehouse's file shows no reader of the disk who bought",
        len(books) > 0 and b"bookbuyer" not in books and b"SQLite" not in books,
        f"{len(books)} bytes",
    )


def _look_at_the_wire(stage: Stage) -> None:
    streams = stage.the_wire().streams()
    seen = b"".join(streams)
    stage.narrator.check(
        "the tap saw the traffic", len(seen) > 0, f"{len(seen)} bytes in {len(streams)} streams"
    )
    stage.narrator.check("all of it is TLS", all(only_tls(stream) for stream in streams))
    words = (stage.card.encode(), b"buy-a-book", b"bookbuyer", b"HTTP/1")
    stage.narrator.check(
        "neither the card number nor a word of the protocol is in it", not any(word in seen for word in words)
    )
