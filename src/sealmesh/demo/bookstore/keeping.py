"""Leaving the bookstore running, with its counter pages in the browser."""

import threading

from sealmesh.client import read_policy, verify
from sealmesh.demo.bookstore.pages import counter_pages
from sealmesh.demo.bookstore.stage import Stage


def keep_running(stage: Stage) -> None:
    """Serve the counter pages and wait until interrupted."""
    mesh, ports = stage.the_mesh(), stage.ports
    application = verify(mesh.address, policy=read_policy(mesh.policy))
    pages = {"bookbuyer": ports.buyer_page, "bookthief": ports.thief_page, "bookstore": ports.counter}
    with counter_pages(application, pages) as urls:
        stage.narrator.say("")
        stage.narrator.say(
            "It goes on until you press Ctrl-C. The counters, each over an attested connection:"
        )
        for name, url in urls.items():
            stage.narrator.say(f"  {name:10} {url}")
        stage.narrator.say(f"The Coordinator: {mesh.address}, to be verified with --policy {mesh.policy}")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            stage.narrator.say("ending every program")
