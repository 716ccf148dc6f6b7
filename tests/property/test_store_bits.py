"""A flipped bit anywhere in the store's file or sealed bytes: our own error, or the very same state."""

import hashlib
import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sealmesh.adapters.sealer import PlatformKeys, Sealer
from sealmesh.adapters.store import SealedSeat
from sealmesh.coordinator.ports import Change, SealPlan
from sealmesh.errors import SealmeshError
from sealmesh.errors.store import SealedDataError, SealerError
from sealmesh.manifest import SealMode

PUTS = {f"secret/{number}": bytes([number]) * number * 40 for number in range(12)}
LEAVES = (b"first", b"second")


def seat(directory):
    sealer = Sealer(
        [PlatformKeys(lambda mode, security_version: hashlib.sha256(mode.encode()).digest())],
        entropy=os.urandom,
    )
    return SealedSeat(directory, sealer=sealer, entropy=os.urandom)


class Files(tuple):
    """Content of `sealed_data` and `sealed_key`; Hypothesis prints arguments, these are long."""

    __slots__ = ()

    def __repr__(self):
        return "files"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    directory = tmp_path_factory.mktemp("bits") / "seal"
    place = seat(directory)
    place.found(Change(puts=PUTS, appends=LEAVES), SealPlan(mode=SealMode.PRODUCT_KEY))
    place.close()
    return Files([(directory / "sealed_data").read_bytes(), (directory / "sealed_key").read_bytes()])


def read(data, key):
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "sealed_data").write_bytes(data)
        (directory / "sealed_key").write_bytes(key)
        place = seat(directory)
        try:
            store = place.store()
            if store is None:
                return None
            return {item.key: item.value for item in store.load().records}, store.leaves(0, 99)
        finally:
            place.close()


def flipped(data, bit):
    bit %= len(data) * 8
    return bytes([*data[: bit // 8], data[bit // 8] ^ (1 << bit % 8), *data[bit // 8 + 1 :]])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(bit=6448)  # the kind of a table's name, which is bytes then
@given(bit=st.integers(min_value=0))
def test_a_flipped_bit_in_the_file_is_refused_or_means_nothing(files, bit):
    data, key = files
    try:
        found = read(flipped(data, bit), key)
    except SealmeshError:
        return
    # Bits of unused space and of some header fields say nothing; a spoiled key identifier asks for recovery.
    assert found in (None, (PUTS, list(LEAVES)))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bit=st.integers(min_value=0))
def test_a_flipped_bit_in_the_sealed_key_asks_for_recovery(files, bit):
    data, key = files
    assert read(data, flipped(key, bit)) is None


@pytest.mark.parametrize(
    ("table", "column"), [("record", "sealed"), ("leaf", "sealed"), ("head", "sealed"), ("seal", "wrapped")]
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=st.integers(0, 99), bit=st.integers(min_value=0))
def test_a_flipped_bit_in_an_envelope_never_opens(files, table, column, row, bit):
    data, key = files
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "x"
        path.write_bytes(data)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            rows = connection.execute(f"SELECT rowid, {column} FROM {table}").fetchall()
            number, sealed = rows[row % len(rows)]
            update = f"UPDATE {table} SET {column} = ? WHERE rowid = ?"
            connection.execute(update, (flipped(sealed, bit), number))
        spoiled = path.read_bytes()
    with pytest.raises(SealedDataError):
        read(spoiled, key)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_as_sealed_key_are_refused(content):
    sealer = Sealer([PlatformKeys(lambda mode, security_version: bytes(32))], entropy=os.urandom)
    for candidate in (content, b"sealmesh sealed key 1\n" + content):
        with pytest.raises(SealerError):
            sealer.unseal(candidate)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=3000))
def test_arbitrary_bytes_as_sealed_data_are_refused(files, content):
    for candidate in (content, b"SQLite format 3\0" + content):
        with pytest.raises(SealmeshError):
            read(candidate, files[1])
