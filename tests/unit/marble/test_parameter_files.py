"""Files of the manifest: whole, private, and where the manifest says; nobody redirects them."""

from pathlib import Path

import pytest

from sealmesh.errors.marble import ParameterFileError
from sealmesh.marble.parameter_files import write_files


def test_file_is_private_and_its_new_directories_too(tmp_path: Path) -> None:
    write_files({f"{tmp_path}/a/b/file": b"secret"})
    assert (tmp_path / "a/b/file").read_bytes() == b"secret"
    assert (tmp_path / "a/b/file").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "a").stat().st_mode & 0o777 == (tmp_path / "a/b").stat().st_mode & 0o777 == 0o700


def test_relative_path_starts_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_files({"./a/file": b"1", "file": b"2"})
    assert (tmp_path / "a/file").read_bytes() + (tmp_path / "file").read_bytes() == b"12"


def test_existing_file_is_replaced_and_becomes_private(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "file").chmod(0o666)
    write_files({f"{tmp_path}/file": b"new"})
    assert (tmp_path / "file").read_bytes() == b"new"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def test_hard_link_that_the_host_laid_does_not_get_the_secret(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("old")
    (tmp_path / "file").hardlink_to(tmp_path / "elsewhere")
    write_files({f"{tmp_path}/file": b"secret"})
    assert (tmp_path / "elsewhere").read_text() == "old"


ATTACKS = {
    "a link in place of the file": ("file", "file"),
    "a link in place of a directory": ("link/file", "link"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_symbolic_link_is_not_followed(attack: str, tmp_path: Path) -> None:
    path, link = ATTACKS[attack]
    outside = tmp_path / "outside"
    outside.mkdir()
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / link).symlink_to(outside if "/" in path else outside / "target")
    with pytest.raises(ParameterFileError):
        write_files({f"{inside}/{path}": b"secret"})
    assert list(outside.iterdir()) == []
    assert [entry.name for entry in inside.iterdir()] == [link], "nothing half-written may stay"


@pytest.mark.parametrize("name", ["", "a/../b", "..", "a/", "a\0b", "."])
def test_path_that_is_none_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ParameterFileError):
        write_files({name: b"secret"})
    assert list(tmp_path.iterdir()) == []


def test_directory_that_is_a_file_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file")
    with pytest.raises(ParameterFileError) as caught:
        write_files({f"{tmp_path}/a/b": b"secret"})
    assert caught.value.found == "Not a directory"
    assert "directory that this user may write" in caught.value.remedy
