"""A statement with flipped bits is refused, or says exactly the same."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealmesh.errors import SealmeshError
from sealmesh.ledger import verify_statement

_spec = importlib.util.spec_from_file_location(
    "statement_bench_for_bits", Path(__file__).parents[1] / "unit" / "ledger" / "conftest.py"
)
assert _spec is not None
assert _spec.loader is not None
_bench = importlib.util.module_from_spec(_spec)
sys.modules["statement_bench_for_bits"] = _bench
_spec.loader.exec_module(_bench)


@pytest.fixture(scope="module")
def genuine():
    bench = _bench.Bench(platform=_bench.make_platform(), authority=_bench.make_authority())
    return bench, bench.statement()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 2**30), bit=st.integers(0, 7))
def test_a_flipped_bit_never_changes_what_verifies(genuine, position: int, bit: int) -> None:
    bench, document = genuine
    wanted = verify_statement(document, bench.policy(), now=bench.now, nonce=bench.nonce)
    raw = bytearray(document)
    raw[position % len(raw)] ^= 1 << bit
    try:
        found = verify_statement(bytes(raw), bench.policy(), now=bench.now, nonce=bench.nonce)
    except SealmeshError:
        return
    assert replace(found, document=b"") == replace(wanted, document=b"")
