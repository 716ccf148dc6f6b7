"""Application statements: read strictly, verified; what verifies says what the genuine says."""

from dataclasses import replace
from functools import cache
from typing import Any

from fuzz.makers import maker
from fuzz.target import Target
from sealmesh.ledger import verify_statement


@cache
def _bench() -> Any:
    """Return what the ledger's tests make statements with."""
    bench = maker("unit/ledger/conftest.py")
    return bench.Bench(platform=bench.make_platform(), authority=bench.make_authority())


@cache
def _genuine() -> bytes:
    statement: bytes = _bench().statement()
    return statement


def _verified(document: bytes) -> object:
    bench = _bench()
    found = verify_statement(document, bench.policy(), now=bench.now, nonce=bench.nonce)
    return replace(found, document=b"", evidence=None)  # type: ignore[arg-type]


def _verify(document: bytes) -> None:
    assert _verified(document) == _verified(_genuine()), "a forged statement verifies"


TARGET = Target(
    run=_verify,
    seeds=lambda: {"statement": _genuine()},
    words=(
        b'"manifest"',
        b'"checkpoint"',
        b'"relaxations"',
        b'"nonce"',
        b"null",
        b"true",
        b"\\u0000",
        b"1e999",
    ),
    longest=64 * 1024,
    milliseconds=100,
)
