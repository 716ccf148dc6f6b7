"""Endorsements on the way to a Marble: whole or compressed, and never larger than they may be."""

import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealmesh.wire.enrolment import MAX_ENDORSEMENTS, endorsements_of, enrolment_response
from sealmesh.wire.enrolment_pb2 import ActivateResponse

DOCUMENT = b'{"tcb_info": "' + b"0123456789abcdef" * 400 + b'"}'


@dataclass
class Given:
    files: dict[str, bytes] = field(default_factory=dict)
    env: dict[str, bytes] = field(default_factory=dict)
    argv: tuple[str, ...] = ()
    certificate_chain: tuple[bytes, ...] = (b"leaf",)
    coordinator_chain: tuple[bytes, ...] = (b"intermediate", b"root")
    marble_root: bytes = b"root"
    access_policy: bytes = b"{}"
    ttls: bytes | None = None
    not_after: datetime = datetime(2031, 1, 1, tzinfo=UTC)
    renew_after: datetime = datetime(2030, 1, 1, tzinfo=UTC)
    trust_domain: str = "mesh-1"
    simulation: bool = True
    relaxations: tuple[str, ...] = ()


def response(*, deflate: bool, endorsements: bytes = DOCUMENT) -> ActivateResponse:
    raw = enrolment_response(Given(), Given(), evidence=b"quote", endorsements=endorsements, deflate=deflate)
    return ActivateResponse.FromString(raw)


def test_who_does_not_say_that_it_inflates_gets_them_as_they_are() -> None:
    reply = response(deflate=False)
    assert reply.coordinator_endorsements == DOCUMENT
    assert reply.coordinator_endorsements_deflated == b""
    assert endorsements_of(reply) == DOCUMENT


def test_who_does_gets_them_compressed() -> None:
    reply = response(deflate=True)
    assert reply.coordinator_endorsements == b""
    assert len(reply.coordinator_endorsements_deflated) < len(DOCUMENT) / 3
    assert endorsements_of(reply) == DOCUMENT


@pytest.mark.parametrize("deflate", [False, True])
def test_none_are_none(deflate: bool) -> None:
    assert endorsements_of(response(deflate=deflate, endorsements=b"")) == b""


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_refused_or_read(raw: bytes) -> None:
    try:
        endorsements_of(ActivateResponse(coordinator_endorsements_deflated=raw))
    except ValueError:
        pass


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(zlib.compress(DOCUMENT)[:-1], id="cut off"),
        pytest.param(zlib.compress(DOCUMENT) + b"x", id="followed by something"),
        pytest.param(zlib.compress(bytes(MAX_ENDORSEMENTS + 1)), id="larger than it may be"),
        pytest.param(zlib.compress(bytes(200 * MAX_ENDORSEMENTS), 9), id="made to fill the memory"),
        pytest.param(b"{}", id="not compressed"),
    ],
)
def test_what_is_not_whole_or_too_long_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="endorsements"):
        endorsements_of(ActivateResponse(coordinator_endorsements_deflated=raw))


def test_the_largest_is_taken() -> None:
    raw = zlib.compress(bytes(MAX_ENDORSEMENTS))
    assert len(endorsements_of(ActivateResponse(coordinator_endorsements_deflated=raw))) == MAX_ENDORSEMENTS
