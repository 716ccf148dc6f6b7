import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from sealmesh.attestation.simulated import sign_package
from sealmesh.cli import main

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def signature() -> bytes:
    key = rsa.generate_private_key(3, 3072)
    return sign_package(b"\x11" * 32, key, product_id=7, security_version=3, debug=True, now=NOW).raw


def info(capsys, path: Path) -> dict[str, object]:
    assert main(["package-info", str(path)]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("where", ["alone", "inside", "after a false one"])
def test_the_signature_of_an_enclave_is_found(tmp_path, capsys, signature: bytes, where: str) -> None:
    before = {"alone": b"", "inside": b"\x7fELF" + bytes(5000), "after a false one": signature[:-1] + b"\1"}
    (tmp_path / "enclave").write_bytes(before[where] + signature + (b"" if where == "alone" else b"rest"))
    found = info(capsys, tmp_path / "enclave")
    assert found.pop("SignerID") != "00" * 32
    assert found == {"UniqueID": "11" * 32, "ProductID": 7, "SecurityVersion": 3, "Debug": True}


def test_gramines_and_occlums_folders_are_known(tmp_path, capsys, signature: bytes) -> None:
    (tmp_path / "gramine").mkdir()
    (tmp_path / "gramine" / "python.sig").write_bytes(signature)
    library = tmp_path / "occlum" / "build" / "lib"
    library.mkdir(parents=True)
    (library / "libocclum-libos.signed.so").write_bytes(b"\x7fELF" + signature)
    assert info(capsys, tmp_path / "gramine") == info(capsys, tmp_path / "occlum")


def test_a_package_of_ours_has_its_entry(tmp_path, capsys) -> None:
    (tmp_path / "hello.py").write_text("print('hello')")
    document = {"exe": "/bin/true", "key": "key.pem", "productID": 4, "securityVersion": 2}
    (tmp_path / "sealmesh.json").write_text(json.dumps(document))
    assert main(["sign", str(tmp_path), "--json"]) == 0
    signed = json.loads(capsys.readouterr().out[-400:].partition("{")[2].join(["{", ""]))
    assert info(capsys, tmp_path) == signed


@pytest.mark.parametrize("position", [100, 600, 961, 1026, 1500])
def test_a_signature_with_one_changed_bit_counts_for_nothing(
    tmp_path, capsys, signature: bytes, position: int
) -> None:
    changed = bytearray(signature)
    changed[position] ^= 1
    (tmp_path / "enclave").write_bytes(changed)
    assert main(["package-info", str(tmp_path / "enclave")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "error [package:signature]" in err


@pytest.mark.parametrize("name", ["gone", "."])
def test_what_has_no_signature_is_told_as_such(tmp_path, capsys, name: str) -> None:
    assert main(["package-info", str(tmp_path / name)]) == 1
    assert "error [package:" in capsys.readouterr().err
