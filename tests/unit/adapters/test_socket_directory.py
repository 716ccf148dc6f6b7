"""Where the sockets of workers and agents live."""

import socket
import stat
import tempfile

import pytest

from sealmesh.adapters.socket_directory import socket_directory
from sealmesh.errors.configuration import ConfigurationError


@pytest.fixture
def temporary_files_at(monkeypatch):
    def move(path):
        monkeypatch.setattr(tempfile, "tempdir", str(path))

    return move


def test_it_is_private_and_goes_with_all_in_it(tmp_path, temporary_files_at):
    place = tmp_path.parent if len(str(tmp_path)) > 60 else tmp_path
    temporary_files_at(place)
    with socket_directory() as directory:
        assert directory.parent == place
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        (directory / "left").write_text("behind")
    assert not directory.exists()


def test_a_socket_can_be_bound_though_the_place_for_temporary_files_has_a_long_path(
    tmp_path, temporary_files_at
):
    long = tmp_path / ("x" * 100)
    long.mkdir()
    temporary_files_at(long)
    with socket_directory() as directory, socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(directory / "a-name-of-20-letters"))
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert not directory.exists()


def test_a_place_that_is_not_there_is_our_error(temporary_files_at):
    temporary_files_at("/absent")
    with pytest.raises(ConfigurationError, match="no temporary directory") as refused, socket_directory():
        pass
    assert "TMPDIR" in refused.value.remedy
