import json

import pytest

from sealmesh.cli import main


@pytest.fixture
def package(tmp_path):
    (tmp_path / "app.py").write_text("print('hello')\n")
    (tmp_path / "sealmesh.json").write_text(
        json.dumps({"exe": "app.py", "productID": 3, "securityVersion": 2})
    )
    return tmp_path


def result(capsys) -> dict[str, object]:
    return json.loads(capsys.readouterr().out)


def test_a_package_is_signed_and_its_ids_are_printed(capsys, package) -> None:
    assert main(["sign", str(package), "--json"]) == 0
    signed = result(capsys)
    assert (signed["ProductID"], signed["SecurityVersion"]) == (3, 2)
    assert main(["uniqueid", str(package), "--json"]) == 0
    assert result(capsys)["UniqueID"] == signed["UniqueID"]
    assert main(["signerid", str(package), "--json"]) == 0
    assert result(capsys)["SignerID"] == signed["SignerID"]


def test_one_changed_byte_gives_another_unique_id(capsys, package) -> None:
    main(["uniqueid", str(package), "--json"])
    before = result(capsys)
    (package / "app.py").write_text("print('hellp')\n")
    main(["uniqueid", str(package), "--json"])
    assert result(capsys) != before


def test_a_folder_without_a_package_is_told_as_such(capsys, tmp_path) -> None:
    assert main(["sign", str(tmp_path)]) == 1
    assert "error [package:document]" in capsys.readouterr().err
