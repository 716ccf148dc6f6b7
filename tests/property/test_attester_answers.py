"""What hosts answer to attesters, and what policies say of Coordinators: any bytes in, our errors out."""

import json
import socket
import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealmesh.adapters.attester.choice import FORMS, read_attester
from sealmesh.adapters.attester.quoting_service import QuotingService
from sealmesh.errors.attestation import PlatformError
from sealmesh.errors.ledger import RelyingPolicyError
from sealmesh.ledger import RelyingPolicy, parse_policy

HEADERS = st.builds(
    lambda major, kind, size, error, key_id, quote: struct.pack(
        "<HHIIIII", major, 1, kind, size, error, key_id, quote
    ),
    st.integers(0, 2),
    st.integers(0, 5),
    st.sampled_from([16, 24, 30, 2**32 - 1]),
    st.integers(0, 1),
    st.sampled_from([0, 1, 6, 2**32 - 1]),
    st.sampled_from([0, 1, 6, 2**32 - 1]),
)
FRAMES = st.builds(
    lambda length, body: struct.pack(">I", length) + body,
    st.sampled_from([0, 4, 16, 24, 30, 2**31]),
    st.builds(bytes.__add__, HEADERS, st.binary(max_size=12)),
)


def asked(raw: bytes) -> bytes:
    """Return what the attester makes of an answer."""

    def connect(port: int) -> socket.socket:
        ours, theirs = socket.socketpair()
        theirs.sendall(raw)
        theirs.shutdown(socket.SHUT_WR)
        kept.append(theirs)
        return ours

    kept: list[socket.socket] = []
    try:
        return QuotingService(4050, connect=connect).quote(bytes(1024))
    finally:
        for one in kept:
            one.close()


@given(st.binary(max_size=60) | FRAMES)
def test_any_answer_of_a_host_is_a_quote_or_our_error(raw: bytes) -> None:
    with suppress(PlatformError):
        quote = asked(raw)
        assert quote
        assert raw[4:].find(quote) >= 24


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2**53) | st.text(max_size=4) | st.just("ab" * 48),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["SGX", "SNP", "Nitro", "TDX", "AllOf", "PCRs", "0", "Measurement", "Debug", "x"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)


@given(VALUES, st.none() | VALUES)
def test_any_policy_is_refused_or_names_software(forms: object, roots: object) -> None:
    document = {"Coordinator": {"Evidence": forms}}
    if roots is not None:
        document["TrustRoots"] = roots
    try:
        policy = parse_policy(json.dumps(document).encode())
    except RelyingPolicyError:
        return
    assert isinstance(policy, RelyingPolicy)
    assert policy.coordinator
    for reference in policy.coordinator:
        parts = getattr(reference, "parts", (reference,))
        assert all(part.debug if getattr(part, "debug", False) else not part.is_empty for part in parts)


@pytest.mark.parametrize("depth", [100, 10_000, 400_000])
def test_a_policy_as_deep_as_it_is_long_is_refused(depth: int) -> None:
    raw = b'{"Coordinator": {"Evidence": ' + b"[" * depth + b"]" * depth + b"}}"
    with pytest.raises(RelyingPolicyError):
        parse_policy(raw)


@given(
    st.text(max_size=30) | st.from_regex(r"(auto|tpm|azure|tdx-guest|tsm|none|simulated)[:?=a-z0-9/,]{0,20}")
)
def test_any_word_is_an_attester_or_refused(text: str) -> None:
    try:
        choice = read_attester(text)
    except ValueError as error:
        choice = str(error)
    assert choice == FORMS or not isinstance(choice, str)
