"""Act 4: the Coordinator is killed and continues; a service comes up again elsewhere with its data."""

import json
import re
import shutil

from sealmesh.demo.bookstore.marbles import install, start_marble
from sealmesh.demo.bookstore.mesh import start_coordinator
from sealmesh.demo.bookstore.stage import Stage
from sealmesh.demo.programs import Program, listening

NAME = "killed and up again: the Coordinator with its state, a service elsewhere with its data"


def play(stage: Stage) -> None:
    """Kill the Coordinator, then the warehouse, which the new Coordinator process must admit."""
    _kill_coordinator(stage)
    _move_warehouse(stage)


def _kill_coordinator(stage: Stage) -> None:
    mesh, buyer = stage.the_mesh(), stage.services["bookbuyer"]
    if mesh.coordinator is None:
        raise RuntimeError("act 1 starts the Coordinator")
    stage.narrator.say(f"$ kill -9 {mesh.coordinator.pid}   # the Coordinator")
    mesh.coordinator.kill()
    wanted = bought(buyer) + 2
    buyer.wait_until(lambda: bought(buyer) >= wanted, "a purchase without the Coordinator")
    stage.narrator.check("the services go on without it", bought(buyer) >= wanted)
    start_coordinator(stage.programs, mesh)
    status = json.loads(stage.must("status", mesh.address, "--json"))
    stage.narrator.check("the Coordinator continues where it was", status["code"] == 3, status["message"])
    told = stage.must("manifest", "verify", mesh.manifest, mesh.address, "--policy", mesh.policy)
    stage.narrator.check("with the same manifest", "The Coordinator enforces" in told)


def _move_warehouse(stage: Stage) -> None:
    mesh, warehouse, buyer = stage.the_mesh(), stage.services["bookwarehouse"], stage.services["bookbuyer"]
    stage.narrator.say(f"$ kill -9 {warehouse.pid}   # the bookwarehouse")
    warehouse.kill()
    taken = sold(warehouse)
    elsewhere = install(mesh.packages["bookwarehouse"], stage.folder / "elsewhere" / "bookwarehouse")
    for file in warehouse.folder.glob("books.db*"):
        shutil.move(file, elsewhere / file.name)
    moved = stage.services["bookwarehouse"] = start_marble(
        stage, mesh, "bookwarehouse", elsewhere, elsewhere=True
    )
    moved.wait_for("taken so far")
    found = re.search(r"(\d+) books taken so far", moved.output())
    stage.narrator.check(
        "in a new directory, with a new UUID, its encrypted data opens",
        found is not None and int(found[1]) >= taken,
        f"{found[1] if found else 0} books taken so far",
    )
    if stage.mixed:
        stage.narrator.check(
            "from a Nitro Enclave to a machine whose TPM the Coordinator challenged",
            "simulated TPM platform" in moved.output(),
        )
    moved.wait_until(lambda: listening(stage.ports.warehouse), "a listening warehouse")
    wanted = bought(buyer) + 2
    buyer.wait_until(lambda: bought(buyer) >= wanted, "a purchase from the moved warehouse")
    stage.narrator.check("the buyer buys from it", bought(buyer) >= wanted)


def bought(buyer: Program) -> int:
    """Return how many books the buyer says it bought."""
    counts = re.findall(r"books bought: (\d+)", buyer.output())
    return int(counts[-1]) if counts else 0


def sold(warehouse: Program) -> int:
    """Return how many books the warehouse says were taken."""
    counts = re.findall(r"bookwarehouse: book (\d+),", warehouse.output())
    return int(counts[-1]) if counts else 0
