import hashlib
import json

import jsonschema
import pytest
import yaml

from sealmesh.cli import main

YAML = (
    "Packages:\n  oven:\n    SignerID: " + "c0ffee00" * 8 + "\n    ProductID: 7\n    SecurityVersion: 3\n"
    "Marbles:\n  baker:\n    Package: oven\n"
)


@pytest.fixture
def manifest(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text(YAML)
    return path


def test_the_fingerprint_of_a_yaml_manifest_is_that_of_its_compact_json(capsys, manifest) -> None:
    # Recorded from MarbleRun's client: compat/golden/cli/cli_yaml.json.
    assert main(["manifest", "signature", str(manifest)]) == 0
    assert capsys.readouterr().out == "e6ae142baf56e21c1152e4883bb9eba392a2b82cec6ac2a0f879d947fd24cf85\n"


def test_a_json_manifest_is_hashed_as_it_is(capsys, tmp_path) -> None:
    path = tmp_path / "m.json"
    path.write_bytes(b'{ "Packages" : {} }\n')
    assert main(["manifest", "signature", str(path)]) == 0
    assert capsys.readouterr().out.strip() == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_good_manifest_passes_the_check(capsys, manifest) -> None:
    assert main(["manifest", "check", str(manifest), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["marbles"] == ["baker"]


def test_all_violations_are_named_at_once(capsys, tmp_path) -> None:
    path = tmp_path / "m.json"
    path.write_text('{"Packages": {"oven": {}}, "Marbles": {"baker": {"Package": "x", "Nonsense": 1}}}')
    assert main(["manifest", "check", str(path), "--json"]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert {item["path"] for item in error["violations"]} >= {
        "Marbles.baker.Nonsense",
        "Marbles.baker.Package",
    }


def test_a_template_that_fails_fails_the_check(capsys, tmp_path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(YAML + '    Parameters: {Env: {A: "{{ nope }}"}}\n')
    assert main(["manifest", "check", str(path)]) == 1
    assert "error [template-syntax]" in capsys.readouterr().err


BROKEN = """\
Packages:
  oven: &oven {SignerID: "cc", ProductID: -1, SecurityVersion: 3}
Marbles:
  baker:
    Package: ovn
    MaxActivation: 3
    Parameters:
      Env: &env
        GOOD: "{{ hex .Secrets.k }}"
        OPEN: "{{ hex .Secrets.k }"
        UNKNOWN: "{{ nope }}"
  other:
    Package: oven
    Parameters:
      Env:
        <<: *env
Secrets:
  k:
    Type: symmetric-key
    Size: 7
"""


def _places(capsys, path) -> set[str]:
    assert main(["manifest", "check", str(path), "--json"]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    return {f"{item['line']}:{item['column']} {item['code']}" for item in error["violations"]}


def test_violations_of_a_yaml_manifest_have_the_lines_of_the_yaml(capsys, tmp_path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(BROKEN)
    assert _places(capsys, path) == {
        "2:43 manifest.out-of-range",
        "5:14 manifest.marble.unknown-package",
        "6:20 manifest.unknown-key",
        "10:15 template-syntax",
        "11:18 template-syntax",
        "20:11 manifest.secret.bad-size",
    }


def test_every_template_that_fails_is_named_with_its_place_in_the_file(capsys, tmp_path) -> None:
    path = tmp_path / "m.json"
    path.write_text(
        '{"Packages": {"oven": {"UniqueID": "aa"}},\n "Marbles": {"baker": {"Package": "oven",\n'
        '  "Parameters": {"Env": {\n   "A": "{{ hex .Secrets.k }",\n   "B": "{{ hex .Secrets.gone }}"},\n'
        '   "Files": {"/x": "{{ 1 | 2 }}"}}}},\n'
        ' "Secrets": {"c": {"Type": "cert-ed25519", "Cert": {"Subject": {"Country": ["DEU"]}}}}}'
    )
    assert _places(capsys, path) == {
        "4:9 template-syntax",
        "6:20 template-syntax",
        "7:77 manifest.secret.bad-certificate-field",
    }
    path.write_text(path.read_text().replace("DEU", "DE"))
    assert _places(capsys, path) == {"4:9 template-syntax", "5:9 template-execution", "6:20 template-syntax"}


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"a: [1\nb: {", "2:2"),
        (b'{"a": 1,\n "b": }', "2:7"),
        (b"a: 1\nb: \xff", "2:4"),
        (b"a: 1\na: 2", "2:1"),
    ],
)
def test_a_file_that_cannot_be_read_names_the_place(capsys, tmp_path, content: bytes, place: str) -> None:
    path = tmp_path / "m"
    path.write_bytes(content)
    assert main(["manifest", "check", str(path)]) == 1
    assert f"]: {place}: " in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"Packages: [\n", b"{", b"\xff"])
def test_a_file_that_is_no_manifest_fails_the_check(capsys, tmp_path, content: bytes) -> None:
    path = tmp_path / "m"
    path.write_bytes(content)
    assert main(["manifest", "check", str(path)]) == 1
    assert capsys.readouterr().err.startswith("error [")


def test_a_manifest_that_is_not_there_is_told_as_such(capsys) -> None:
    assert main(["manifest", "check", "/nowhere/m.json"]) == 1
    assert "error [file]" in capsys.readouterr().err


def test_verifying_neither_a_file_nor_a_fingerprint_is_refused_before_connecting(capsys) -> None:
    assert main(["manifest", "verify", "0" * 63, "127.0.0.1:1", "--insecure"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "error [usage]" in err


def test_the_schema_takes_a_manifest_that_passes_the_check(capsys, tmp_path) -> None:
    assert main(["manifest", "schema"]) == 0
    printed = capsys.readouterr().out
    schema = json.loads(printed)
    jsonschema.validate(yaml.safe_load(YAML), schema)
    with pytest.raises(jsonschema.ValidationError, match="Oven"):
        jsonschema.validate({"Oven": {}}, schema)
    assert main(["manifest", "schema", "-o", str(tmp_path / "x.json")]) == 0
    assert (tmp_path / "x.json").read_text() == printed
