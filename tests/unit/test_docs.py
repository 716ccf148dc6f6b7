"""The reference pages say what the code does."""

import importlib.util
import inspect
import re
from pathlib import Path

import pytest

from sealmesh.adapters.telemetry import Telemetry
from sealmesh.cli.commands.server import coordinator
from sealmesh.coordinator.relaxation import Relaxation
from sealmesh.errors import Kind, grpc_status, http_status

REPOSITORY = Path(__file__).resolve().parents[2]
REFERENCE = REPOSITORY / "docs" / "reference"


def _generator():
    spec = importlib.util.spec_from_file_location("docs_generate", REPOSITORY / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = _generator()
PAGES = generate.pages()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_generated_page_is_current(path):
    assert path.read_text() == PAGES[path], "run `make docs` and commit what changed"


def test_the_options_in_the_table_are_those_of_the_command():
    taken = {name.replace("_", "-") for name in inspect.signature(coordinator).parameters}
    shown = set(re.findall(r"^\| `--([a-z-]+)` \|", generate.settings_table(), re.MULTILINE))
    assert shown == taken - {"print-policy", "as-json"}


def test_every_metric_family_is_described():
    text = (REFERENCE / "metrics.md").read_text()
    families = Telemetry()._registry.collect()
    names = [family.name + "_total" * (family.type == "counter") for family in families]
    assert len(names) > 12
    assert [name for name in names if f"`{name}`" not in text] == []


def test_every_relaxation_is_described():
    text = (REFERENCE / "configuration.md").read_text()
    assert [item for item in Relaxation if f"| `{item}` |" not in text] == []


def test_every_kind_of_error_is_described_with_its_statuses():
    text = (REFERENCE / "errors.md").read_text()
    rows = [f"| `{kind}` | {http_status(kind)} | `{grpc_status(kind)}` |" for kind in Kind]
    assert [row for row in rows if row not in text] == []


def test_a_page_without_its_place_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(generate, "REFERENCE", tmp_path)
    (tmp_path / "phases.md").write_text("<!-- BEGIN other -->\n<!-- END other -->")
    with pytest.raises(RuntimeError, match="needs"):
        generate._filled("phases.md", "phases", "text")
