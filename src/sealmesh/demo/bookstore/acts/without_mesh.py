"""Act 0: without the mesh the thief steals and the wire is read."""

import secrets

from sealmesh.demo.bookstore.stage import Ports, Stage
from sealmesh.demo.tap import Tap

NAME = "without the mesh: the thief steals, the wire is read"


def play(stage: Stage) -> None:
    """Start the four programs as they are and look at what happens."""
    ports, folder = Ports(), stage.folder / "plain"
    with Tap(ports.store) as tap:
        warehouse = stage.programs.start(
            "bookwarehouse",
            stage.plain("bookwarehouse"),
            folder=folder / "bookwarehouse",
            env={"PORT": str(ports.warehouse), "BOOKS_KEY": secrets.token_hex(32)},
        )
        store = stage.programs.start(
            "bookstore",
            stage.plain("bookstore"),
            folder=folder / "bookstore",
            env={
                "PORT": str(ports.store),
                "COUNTER_PORT": str(ports.counter),
                "BOOKWAREHOUSE": f"127.0.0.1:{ports.warehouse}",
            },
        )
        shop = {"BOOKSTORE": f"127.0.0.1:{tap.port}", "PAUSE_SECONDS": "0.1"}
        buyer = stage.programs.start(
            "bookbuyer",
            stage.plain("bookbuyer"),
            folder=folder / "bookbuyer",
            env={**shop, "CARD": stage.card, "PAGE_PORT": str(ports.buyer_page)},
        )
        thief = stage.programs.start(
            "bookthief",
            stage.plain("bookthief"),
            folder=folder / "bookthief",
            env={**shop, "PAGE_PORT": str(ports.thief_page)},
        )
        stage.narrator.say("bookbuyer, bookthief, bookstore and bookwarehouse run as plain programs")
        buyer.wait_for("books bought: 2")
        thief.wait_for("books stolen: 2")
        stage.narrator.quote(store.output().splitlines()[-1])
        stage.narrator.check("the buyer buys", "books bought: 2" in buyer.output())
        stage.narrator.check("the thief steals", "books stolen: 2" in thief.output())
        seen = tap.seen()
        stage.narrator.check(
            "a tap on the wire reads the buyer's card number",
            stage.card.encode() in seen,
            f"{stage.card} in {len(seen)} bytes",
        )
        for program in (thief, buyer, store, warehouse):
            program.end()
