"""`sealmesh manifest plan` between two files."""

import json
from pathlib import Path

import pytest

from sealmesh.cli import main

OLD = {
    "Packages": {"oven": {"SignerID": "c0" * 32, "ProductID": 7, "SecurityVersion": 3}},
    "Marbles": {"baker": {"Package": "oven"}, "till": {"Package": "oven"}},
    "Secrets": {"key": {"Type": "symmetric-key", "Size": 128, "Shared": True}},
    "Access": [{"From": ["till"], "To": "baker", "Ports": ["443"]}],
    "Config": {"FeatureGates": ["Access"]},
}


@pytest.fixture
def planned(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("old.json").write_text(json.dumps(OLD))

    def plan(new: object, *words: str) -> tuple[int, str, str]:
        Path("new.json").write_text(json.dumps(new))
        code = main(["manifest", "plan", "new.json", "--against", "old.json", *words])
        out, err = capsys.readouterr()
        return code, out, err

    return plan


def test_the_text_names_each_kind_of_change(planned):
    new = OLD | {
        "Packages": {"oven": OLD["Packages"]["oven"] | {"SecurityVersion": 4}},
        "Marbles": {"baker": {"Package": "oven"}},
        "Access": [{"From": ["baker"], "To": "baker", "Ports": ["8000-8010"]}],
        "Secrets": {"cert": {"Type": "cert-ed25519", "Shared": True}},
    }
    code, out, _ = planned(new)
    assert code == 0
    for line in (
        "baker -> baker on 8000-8010",
        "till -> baker on 443",
        "baker: software with a SecurityVersion below 4 (now: below 3)",
        "till: the manifest no longer has this type",
        "key: deleted",
        "cert: new",
        "root: kept",
        "Marbles: -till",
        "packages: ~oven",
        "acknowledgments: 0 of nobody",
    ):
        assert f"  {line}\n" in out + "\n"


def test_json_is_one_document(planned):
    code, out, _ = planned(OLD, "--json")
    document = json.loads(out)
    assert code == 0
    assert document["edges"] == {"opened": [], "closed": []}
    assert document["cannotStart"] == []
    assert document["secrets"] == {"key": "kept"}


def test_what_would_be_refused_ends_with_1_and_its_reason(planned):
    code, out, _ = planned({"Packages": {"oven": {"SecurityVersion": 2}}})
    assert code == 1
    assert "would go down from 3 to 2" in out


def test_a_file_that_is_no_manifest_is_named_with_its_violations(planned):
    code, out, err = planned(OLD | {"Marbles": {"baker": {"Package": "ovne"}}})
    assert (code, out) == (1, "")
    assert "ovne" in err


@pytest.mark.parametrize("words", [(), ("--against", "old.json", "--coordinator", "localhost:1")])
def test_it_is_compared_with_one_thing(planned, capsys, words):
    planned(OLD)
    assert main(["manifest", "plan", "new.json", *words]) == 1
    assert "either --against FILE or --coordinator ADDRESS" in capsys.readouterr().err
