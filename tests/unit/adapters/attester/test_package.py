"""Packages on disk: measured, signed, and refused once they changed."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sealmesh.adapters.attester.package import (
    coordinator_package,
    load,
    sign,
    signer_id,
    unique_id,
)
from sealmesh.adapters.attester.platform import open_or_create
from sealmesh.errors.attestation import PackageError

Package = Any


def test_signed_package_starts_as_what_was_signed(package: Package) -> None:
    signed = sign(package.path)
    enclave = load(package.path).verify_signed()
    assert enclave.unique_id == signed.unique_id == unique_id(package.document)
    assert enclave.signer_id == signed.signer_id == signer_id(package.path)
    assert (enclave.product_id, enclave.security_version, enclave.debug) == (7, 3, False)
    assert load(package.path).exe == package.path / "app.py"
    assert signed.notes == ()


def test_signing_does_not_change_the_measurement(package: Package) -> None:
    before = unique_id(package.path)
    assert sign(package.path).unique_id == before


CHANGES: dict[str, tuple[Callable[[Package], object], str]] = {
    "a byte of the program": (
        lambda p: (p.path / "app.py").write_text("print('shoq')\n"), "file app.py changed"),
    "a byte of a library": (
        lambda p: (p.path / "lib" / "prices.py").write_text("PRICE = 4\n"), "file lib/prices.py changed"),
    "a file more": (lambda p: (p.path / "lib" / "new.py").touch(), "file lib/new.py is new"),
    "a file less": (lambda p: (p.path / "lib" / "prices.py").unlink(), "file lib/prices.py is missing"),
    "a file renamed": (
        lambda p: (p.path / "lib" / "prices.py").rename(p.path / "lib" / "price.py"), "lib/price.py is new"),
    "an argument": (lambda p: p.describe(args=["--port", "81"]), "arguments changed"),
    "a variable": (lambda p: p.describe(env=[{"name": "MODE", "value": "slow"}]), "environment changed"),
    "the heap": (lambda p: p.describe(heapSize=512), "settings changed"),
    "the policy": (lambda p: p.describe(coordinator={"Coordinator": {}}), "settings changed"),
    "the product": (lambda p: p.describe(productID=8), "productID changed from 7 to 8"),
    "the version": (lambda p: p.describe(securityVersion=2), "securityVersion changed from 3 to 2"),
    "debug": (lambda p: p.describe(debug=True), "debug changed"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_package_that_changed_after_signing_does_not_start(package: Package, change: str) -> None:
    sign(package.path)
    act, said = CHANGES[change]
    act(package)
    with pytest.raises(PackageError) as caught:
        load(package.path).verify_signed()
    assert caught.value.code == "package:changed"
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["prices.py", "another.py"])
def test_what_python_caches_is_not_measured(package: Package, name: str) -> None:
    sign(package.path)
    (package.path / "lib" / "__pycache__" / f"{name}c").write_bytes(b"cache")
    assert load(package.path).verify_signed()


def test_unsigned_package_does_not_start(package: Package) -> None:
    with pytest.raises(PackageError) as caught:
        load(package.path).verify_signed()
    assert caught.value.code == "package:unsigned"
    assert "sealmesh sign" in str(caught.value)
    with pytest.raises(PackageError, match="not signed"):
        signer_id(package.path)


def test_package_signed_by_another_key_has_another_signer(package: Package, tmp_path: Path) -> None:
    first = sign(package.path)
    second = sign(package.path, tmp_path / "other.pem")
    assert second.unique_id == first.unique_id
    assert second.signer_id != first.signer_id
    assert load(package.path).signer_id == second.signer_id


def test_missing_key_is_made_and_said(package: Package) -> None:
    (package.path / "private.pem").unlink()
    signed = sign(package.path)
    assert "made a new one" in signed.notes[0]
    assert (package.path / "private.pem").stat().st_mode & 0o077 == 0
    assert (
        signer_id(package.path / "public.pem") == signer_id(package.path / "private.pem") == signed.signer_id
    )
    assert sign(package.path).notes == ()


@pytest.mark.parametrize(
    "content", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", b"\xff"]
)
def test_file_that_is_no_key_is_refused_and_kept(package: Package, content: bytes) -> None:
    (package.path / "private.pem").write_bytes(content)
    with pytest.raises(PackageError) as caught:
        sign(package.path)
    assert caught.value.code == "package:key"
    assert (package.path / "private.pem").read_bytes() == content
    assert not (package.path / "sealmesh.json.sig").exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: b"",
        lambda raw: b"[]",
        lambda raw: raw.replace(b"app.py", b"bpp.py"),
        lambda raw: raw.replace(b'"structure": "B', b'"structure": "C'),
        lambda raw: raw.replace(b'"args": [', b'"args": [1,'),
        lambda raw: raw.replace(b"-v1", b"-v2"),
        lambda raw: raw.replace(b'"settings": {}', b'"settings": []'),
    ],
)
def test_damaged_signature_file_is_refused(package: Package, damage: Callable[[bytes], bytes]) -> None:
    sign(package.path)
    file = package.path / "sealmesh.json.sig"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(PackageError) as caught:
        load(package.path)
    assert caught.value.code == "package:signature"


# --- documents ---


def test_egos_document_is_accepted(package: Package) -> None:
    package.document.unlink()
    (package.path / "data").write_bytes(b"data")
    document = {
        "exe": "app.py", "key": "private.pem", "debug": True, "heapSize": 512, "executableHeap": False,
        "productID": 1, "securityVersion": 2, "mounts": [{"target": "/tmp", "type": "memfs"}],
        "env": [{"name": "A", "value": "b"}, {"name": "PWD", "fromHost": True}],
        "files": [{"source": "data", "target": "/etc/data"}],
    }  # fmt: skip
    (package.path / "enclave.json").write_text(json.dumps(document))
    signed = sign(package.path / "enclave.json")
    assert signed.signature is not None
    assert signed.signature.structure.debug
    assert {file.name for file in signed.content.files} == {"app.py", "/etc/data"}
    assert (package.path / "enclave.json.sig").is_file()
    assert load(package.path).verify_signed().security_version == 2


def test_yaml_document_means_the_same(package: Package) -> None:
    before = unique_id(package.path)
    fields = json.loads(package.document.read_text())
    package.document.unlink()
    lines = "".join(f"{name}: {json.dumps(value)}\n" for name, value in fields.items())
    (package.path / "sealmesh.yaml").write_text(lines)
    assert unique_id(package.path) == before


def test_debug_and_versions_are_no_part_of_the_measurement(package: Package) -> None:
    before = unique_id(package.path)
    package.describe(debug=True, productID=1, securityVersion=1)
    assert unique_id(package.path) == before


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"exe": None}, "needs text in exe"),
        ({"exe": "nothing.py"}, "the program nothing.py is not there"),
        ({"exe": "no/such"}, "is not there"),
        ({"files": ["missing"]}, "missing cannot be measured"),
        ({"files": "lib"}, "needs a list in files"),
        ({"files": ["lib", "lib/"]}, "twice"),
        ({"files": [{"source": "lib"}]}, "target"),
        ({"files": [{"src": "lib"}]}, "not one of"),
        ({"args": [1]}, "text in args"),
        ({"args": ["\ud800"]}, "text in args"),
        ({"env": [{"name": "A", "value": "\0"}]}, "text value"),
        ({"env": [{"name": "A"}]}, "text value"),
        ({"env": [{"name": "A=B", "value": ""}]}, "cannot be a variable"),
        ({"env": [{"name": "A", "value": ""}, {"name": "A", "value": "1"}]}, "twice"),
        ({"productID": "7"}, "number in productID"),
        ({"productID": True}, "number in productID"),
        ({"securityVersion": -1}, "number in securityVersion"),
        ({"debug": 1}, "true or false in debug"),
        ({"coordinator": 5}, "policy"),
        ({"coordinator": "missing.json"}, "cannot be read"),
        ({"secureVersion": 3}, "Did you mean securityVersion?"),
    ],
)
def test_document_that_is_wrong_says_what_is_wrong(
    package: Package, changes: dict[str, Any], said: str
) -> None:
    package.describe(**changes)
    with pytest.raises(PackageError) as caught:
        sign(package.path)
    assert said in str(caught.value)
    assert not (package.path / "sealmesh.json.sig").exists()


@pytest.mark.parametrize("number", [65536])
def test_product_that_sgx_cannot_carry_is_refused(package: Package, number: int) -> None:
    package.describe(productID=number)
    with pytest.raises(PackageError) as caught:
        sign(package.path)
    assert caught.value.code == "package:version"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sealmesh.json", '{"exe": "a", "exe": "b"}'),
        ("sealmesh.json", "[]"),
        ("sealmesh.json", ""),
        ("sealmesh.yaml", "exe: a\nexe: b\n"),
        ("sealmesh.yaml", "exe: [\n"),
        ("sealmesh.yaml", "- a\n"),
        ("sealmesh.yaml", "exe: app.py\ncoordinator: {now: 2020-01-01}\n"),
    ],
)
def test_document_that_cannot_be_read_is_refused(package: Package, name: str, text: str) -> None:
    package.document.unlink()
    (package.path / name).write_text(text)
    with pytest.raises(PackageError) as caught:
        load(package.path)
    assert caught.value.code == "package:document"


def test_directory_without_a_document_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match=r"sealmesh\.json or"):
        load(tmp_path)


def test_policy_for_the_coordinator_is_measured_wherever_it_stands(package: Package) -> None:
    policy = {"Coordinator": {"SignerID": "aa"}}
    plain = unique_id(package.path)
    package.describe(coordinator=policy)
    inline = load(package.path)
    (package.path / "policy.json").write_text(json.dumps(policy, separators=(",", ":")))
    package.describe(coordinator="policy.json")
    in_file = load(package.path)
    assert inline.coordinator_policy == in_file.coordinator_policy == b'{"Coordinator":{"SignerID":"aa"}}'
    assert inline.unique_id == in_file.unique_id != plain
    (package.path / "policy.json").write_text("{}")
    assert load(package.path).unique_id != in_file.unique_id


def test_program_in_the_search_path_is_measured(package: Package, tmp_path: Path) -> None:
    tool = tmp_path / "bin" / "tool"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    package.describe(exe="tool", files=["app.py"])
    loaded = load(package.path, search_path=str(tool.parent))
    assert loaded.exe == tool
    tool.write_text("#!/bin/sh\nexit 1\n")
    assert load(package.path, search_path=str(tool.parent)).unique_id != loaded.unique_id


def test_links_are_measured_as_the_file_and_directories_of_links_as_themselves(package: Package) -> None:
    (package.path / "lib" / "link.py").symlink_to(package.path / "app.py")
    (package.path / "lib" / "deep").symlink_to("/usr")
    names = {file.name for file in load(package.path).content.files}
    assert names == {"app.py", "lib/prices.py", "lib/link.py", "lib/deep/"}
    before = unique_id(package.path)
    (package.path / "lib" / "deep").unlink()
    (package.path / "lib" / "deep").symlink_to("/bin")
    assert unique_id(package.path) != before


def test_whole_directory_can_be_measured_without_its_own_signature_and_key(package: Package) -> None:
    package.describe(files=["."])
    sign(package.path)
    names = {file.name for file in load(package.path).content.files}
    assert names == {"app.py", "./app.py", "./lib/prices.py", "./sealmesh.json"}
    assert load(package.path).verify_signed()


def test_key_that_is_made_does_not_change_what_was_signed(package: Package) -> None:
    (package.path / "private.pem").unlink()
    package.describe(files=["."])
    sign(package.path)
    assert load(package.path).verify_signed()


def test_program_is_measured_even_where_a_file_takes_its_name(package: Package) -> None:
    package.describe(files=[{"source": "lib/prices.py", "target": "app.py"}])
    with pytest.raises(PackageError, match=r"two different files are named app\.py"):
        load(package.path)


def test_files_may_be_named_twice_over_a_directory_and_by_themselves(package: Package) -> None:
    before = unique_id(package.path)
    package.describe(files=["lib", "lib/prices.py", "app.py"])
    assert unique_id(package.path) == before


def test_name_that_is_not_utf8_is_refused(package: Package) -> None:
    (Path(os.fsdecode(os.fsencode(package.path / "lib") + b"/\xff"))).touch()
    with pytest.raises(PackageError, match="not UTF-8"):
        load(package.path)


def test_dangling_link_is_refused(package: Package) -> None:
    (package.path / "lib" / "gone").symlink_to("nowhere")
    with pytest.raises(PackageError, match="cannot be measured"):
        load(package.path)


def test_coordinators_own_package_is_signed_by_the_house_key(tmp_path: Path) -> None:
    platform = open_or_create(tmp_path / "platform")
    own = coordinator_package(platform)
    assert own.verify_signed().unique_id == own.unique_id
    names = [file.name for file in own.content.files]
    assert "sealmesh/attestation/verification.py" in names
    assert not [name for name in names if "__pycache__" in name]
    assert coordinator_package(open_or_create(tmp_path / "platform")).signer_id == own.signer_id
