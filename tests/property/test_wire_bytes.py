"""Arbitrary bytes at every reader of the servers: our error or a value, nothing else."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealmesh.adapters.http import BodyState, Request
from sealmesh.adapters.rest.target import Query, clean_path, decode_path, encode_path
from sealmesh.adapters.rpc.connect import Connect
from sealmesh.adapters.rpc.framing import FramingError, Refusal
from sealmesh.adapters.rpc.grpc import Grpc
from sealmesh.adapters.rpc.services import methods_of
from sealmesh.errors import SealmeshError
from sealmesh.errors.coordinator import PhaseError
from sealmesh.errors.transport import BodyRefused, QueryRefused
from sealmesh.wire import bodies, methods
from sealmesh.wire.connect import parse_refusal
from sealmesh.wire.enrolment_pb2 import ActivateRequest, ChallengeAnswer
from sealmesh.wire.error_detail import encode_error
from sealmesh.wire.marble_pb2 import ActivationReq
from sealmesh.wire.status import Status

PARSERS = [
    bodies.parse_manifest_body,
    bodies.parse_recover_body,
    bodies.parse_quote_body,
    bodies.parse_counter_body,
    bodies.parse_uploads_v1,
    bodies.parse_uploads_v2,
]
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["manifest", "secrets", "a", "Cert", "Key", "name", "value"]), inner
        )
    ),
    max_leaves=8,
)
NOISE = st.binary(max_size=200) | _json.map(lambda value: json.dumps(value).encode())


class Refusing:
    """A Coordinator that got as far as being asked."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        def refuse(*_: object) -> None:
            raise PhaseError(name)

        return refuse


def request(body: bytes) -> Request:
    return Request(
        method="POST",
        path="/",
        query="",
        headers=(),
        body=body,
        body_state=BodyState.WHOLE,
        peer_address="",
        peer_chain=tuple,
        has_trailers=True,
    )


@pytest.mark.parametrize("parse", PARSERS)
@given(raw=NOISE)
def test_any_body_is_read_or_refused(parse, raw: bytes) -> None:
    try:
        parse(raw)
    except BodyRefused:
        pass


@given(raw=st.text(alphabet=st.characters(max_codepoint=255), max_size=80))
def test_any_path_and_query_is_read(raw: str) -> None:
    path = decode_path("/" + raw)
    if path is not None:
        clean = clean_path(path)
        assert clean == clean_path(clean)
        assert decode_path(encode_path(clean)) == clean
    query = Query(raw)
    query.all("s")
    try:
        query.base64("nonce")
    except QueryRefused:
        pass


@given(raw=st.binary(max_size=64))
def test_any_grpc_body_is_one_message_or_refused(raw: bytes) -> None:
    try:
        message = Grpc().message_of(request(raw))
    except FramingError:
        return
    assert Grpc().answer(message).body == raw


_ANSWERS = st.builds(ChallengeAnswer, token=st.binary(), secret=st.binary())


@pytest.mark.parametrize("path", [methods.ACTIVATE, methods.CHALLENGE, methods.ENROL, methods.RENEW])
@given(
    raw=st.binary(max_size=64)
    | st.builds(ActivationReq, Quote=st.binary(), CSR=st.binary(), UUID=st.text(max_size=5)).map(
        lambda message: message.SerializeToString()
    )
    | st.builds(ActivateRequest, csr=st.binary(), uuid=st.text(max_size=5), answer=_ANSWERS).map(
        lambda message: message.SerializeToString()
    ),
    chain=st.sampled_from([(), (b"der",)]),
)
def test_any_message_is_a_call_or_our_error(path: str, raw: bytes, chain: tuple[bytes, ...]) -> None:
    with pytest.raises(SealmeshError):
        methods_of(Refusing())[path](raw, chain)


@given(message=st.text(alphabet=st.characters(), max_size=2000), found=st.text(max_size=2000))
def test_any_error_fits_into_metadata(message: str, found: str) -> None:
    error = SealmeshError(message, found=found)
    response = Grpc().refusal(Refusal(Status.INTERNAL, str(error), encode_error(error)))
    for name, value in response.headers:
        assert value.isascii()
        assert value.isprintable() or not value
        assert len(name) + len(value) < 20_000


@given(
    status=st.sampled_from([status for status in Status if status is not Status.OK]),
    message=st.text(alphabet=st.characters(), max_size=2000),
    found=st.text(max_size=2000),
)
def test_any_error_goes_through_connect_and_back(status: Status, message: str, found: str) -> None:
    error = SealmeshError(message, found=found)
    response = Connect().refusal(Refusal(status, str(error), encode_error(error)))
    assert Connect().status_of(response) is status
    back = parse_refusal(response.body)
    assert back.status is status
    assert back.text == str(error)[:512].encode("utf-8", "replace").decode()
    assert len(response.body) < 16_384
    assert back.detail is not None
    assert back.detail.SerializeToString() == encode_error(error)


@given(
    raw=st.binary(max_size=200)
    | _json.map(lambda value: json.dumps(value).encode())
    | st.fixed_dictionaries(
        {},
        optional={
            "code": st.sampled_from(["aborted", "canceled", "x", 1, None]),
            "message": st.text(max_size=4) | st.none() | st.integers(),
            "details": _json
            | st.lists(
                st.fixed_dictionaries(
                    {"type": st.just("sealmesh.mesh.v1.ErrorDetail"), "value": st.text(max_size=9) | _json}
                )
            ),
        },
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_refusal_of_a_server_is_read_or_none(raw: bytes) -> None:
    try:
        refusal = parse_refusal(raw)
    except ValueError:
        return
    assert refusal.status is not Status.OK
