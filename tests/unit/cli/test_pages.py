"""What pages for operators say of commands and relaxations is there."""

import re
from pathlib import Path

import pytest
import typer

from sealmesh.cli.app import app
from sealmesh.coordinator.relaxation import Relaxation

DOCS = Path(__file__).parents[3] / "docs"
PAGES = [
    "migrate-from-marblerun.md",
    "attestation/results.md",
    "tasks/operate.md",
    "tasks/verify.md",
    "reference/cli.md",
    "reference/client.md",
]
TREE = typer.main.get_command(app)


def options(words: list[str]) -> set[str] | None:
    """Return the options of the command that `words` begin with; None if there is none."""
    command = TREE
    while words and hasattr(command, "commands"):
        if words[0] not in command.commands:
            # `recover-with-signature FILE ADDRESS`
            hidden = command.commands.get("give")
            return None if hidden is None else {name for item in hidden.params for name in item.opts}
        command = command.commands[words.pop(0)]
    return {name for item in command.params for name in (*item.opts, *item.secondary_opts)} | {"--help"}


@pytest.mark.parametrize("page", PAGES)
def test_every_command_on_a_page_is_there_with_its_options(page: str) -> None:
    text = (DOCS / page).read_text()
    lines = re.findall(r"(?:^|`|\$ )sealmesh ([a-z][^`\n]*)", text, re.MULTILINE)
    assert lines or page == "reference/client.md"
    for line in lines:
        known = options(line.split())
        assert known is not None, line
        own = line.partition(" -- ")[0]
        used = {word.partition("=")[0] for word in own.split() if re.fullmatch(r"--?[a-z][\w-]*(=.*)?", word)}
        assert used <= known, line


def test_every_relaxation_is_on_the_migration_page() -> None:
    text = (DOCS / "migrate-from-marblerun.md").read_text()
    assert {item.value for item in Relaxation if f"`{item.value}`" not in text} == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    path = DOCS / page
    targets = re.findall(r"\]\(([^)#]+)(?:#([^)]*))?\)", path.read_text())
    for target, anchor in targets:
        if target.startswith("http"):
            continue
        found = (path.parent / target).resolve()
        assert found.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", found.read_text(), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, (target, anchor)
