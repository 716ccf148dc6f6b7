"""Act 5: the customer verifies one statement and buys a book over the pinned connection."""

import json
from pathlib import Path

import httpx

from sealmesh.client import marble_transport, read_policy, verify
from sealmesh.demo.bookstore.mesh import HOST
from sealmesh.demo.bookstore.stage import Stage
from sealmesh.errors.client import PeerError

NAME = "the customer verifies one statement and buys a book over the pinned connection"


def play(stage: Stage) -> None:
    """Know nothing but an address and a policy; end with a book."""
    mesh, statement = stage.the_mesh(), stage.folder / "statement.json"
    told = stage.must("verify", mesh.address, "--policy", mesh.policy, "-o", statement)
    stage.narrator.quote(told)
    stage.narrator.check("one statement verifies the whole application", told.startswith("VERIFIED"))
    stage.narrator.check("it says that the hardware is simulated", "SIMULATION" in told)
    again = stage.must("verify", statement, "--policy", mesh.policy, "--json")
    stage.narrator.check(
        "the kept statement verifies without a network", json.loads(again)["verified"] is True
    )
    _tamper(stage, mesh.policy, statement)
    _buy(stage)


def _tamper(stage: Stage, policy: Path, statement: Path) -> None:
    document = json.loads(statement.read_bytes())
    document["authority"]["access"] = None
    forged = stage.folder / "forged.json"
    forged.write_text(json.dumps(document))
    refused = stage.sealmesh("verify", forged, "--policy", policy, "--json")
    error = json.loads(refused.out).get("error", {})
    stage.narrator.check(
        "a statement with one member changed is refused", refused.code == 1, f"error [{error.get('code')}]"
    )


def _buy(stage: Stage) -> None:
    mesh = stage.the_mesh()
    application = verify(mesh.address, policy=read_policy(mesh.policy))
    order = {"name": "customer", "card": f"{stage.card}-customer"}
    with httpx.Client(transport=marble_transport(application, "bookstore"), trust_env=False) as store:
        answer = store.post(f"https://{HOST}:{stage.ports.counter}/buy-a-book", json=order)
        book = answer.json()
        stage.narrator.check(
            "the customer buys a book from the attested bookstore", book["paid"] is True, repr(book["title"])
        )
        try:
            store.get(f"https://{HOST}:{stage.ports.buyer_page}/")
            reason = "it answered"
        except PeerError as error:
            reason = str(error.found)
        stage.narrator.check(
            "the pinned client does not talk to another Marble", reason.startswith("bookbuyer"), reason
        )
