"""Every row of the template engine's conformance table, against our engine and against Go's own."""

import importlib.util
import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sealmesh.provisioning import gotemplate
from sealmesh.provisioning.gotemplate import BUILTINS, Template, TemplateExecutionError, TemplateSyntaxError

TABLE = tomllib.loads(Path(gotemplate.__file__).with_name("conformance.toml").read_text())
FEATURES = TABLE["feature"]
ROWS = [
    pytest.param(row, id=f"{feature['name']}: {row['template']}".encode("unicode_escape").decode())
    for feature in FEATURES
    for row in feature["row"]
]
ERRORS = {"syntax": TemplateSyntaxError, "execution": TemplateExecutionError}
#: The headings of Go's documentation that are about what templates say.
SECTIONS = {
    "Text and spaces",
    "Actions",
    "Arguments",
    "Pipelines",
    "Variables",
    "Functions",
    "Nested template definitions",
}


def _load_oracle() -> ModuleType:
    if "go_oracle" not in sys.modules:
        path = Path(__file__).resolve().parents[1] / "integration" / "go_oracle.py"
        spec = importlib.util.spec_from_file_location("go_oracle", path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules["go_oracle"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["go_oracle"])
    return sys.modules["go_oracle"]


go_oracle = _load_oracle()
GO = go_oracle.find_go()


def data_of(row: dict[str, Any]) -> Any:
    return json.loads(row.get("data", TABLE["data"]))


@pytest.fixture(scope="module")
def oracle(tmp_path_factory) -> Iterator[Any]:
    with go_oracle.running(GO, tmp_path_factory.mktemp("oracle")) as running:
        yield running


@pytest.mark.parametrize("row", ROWS)
def test_our_engine_gives_what_the_table_says(row):
    data = go_oracle.values(data_of(row))
    if "error" not in row:
        assert Template.parse(row["template"]).execute(data) == row["result"].encode()
        return
    with pytest.raises(ERRORS[row["error"]]) as refusal:
        Template.parse(row["template"]).execute(data)
    assert type(refusal.value) is ERRORS[row["error"]]
    assert refusal.value.line >= 1


@pytest.mark.skipif(GO is None, reason="no Go toolchain")
@pytest.mark.parametrize("row", ROWS)
def test_the_table_says_what_go_gives(row, oracle):
    answer = oracle.answer(row["template"].encode(), data_of(row))
    if "error" in row:
        assert (answer.output, answer.stage) == (None, row["error"])
    else:
        assert answer.output == row["result"].encode()


def test_every_row_says_one_thing():
    rows = [row for feature in FEATURES for row in feature["row"]]
    assert all(("result" in row) != ("error" in row) for row in rows)
    assert all(row.keys() <= {"template", "data", "result", "error"} for row in rows)
    assert len({(row["template"], row.get("data")) for row in rows}) == len(rows)


def test_every_section_and_every_function_of_go_is_in_the_table():
    assert {feature["section"] for feature in FEATURES} == SECTIONS
    accepted = " ".join(row["template"] for f in FEATURES for row in f["row"] if "result" in row)
    words = set(accepted.replace("(", " ").split())
    assert BUILTINS.keys() - words == {"call"}  # needs a function in the data, which no JSON has


def test_every_feature_has_rows_that_work_and_rows_that_are_refused():
    kinds = {feature["name"]: {"error" in row for row in feature["row"]} for feature in FEATURES}
    assert [name for name, found in kinds.items() if False not in found] == ["call"]
    assert [name for name, found in kinds.items() if True not in found] == ["Text", "html, js, urlquery"]
