"""Any bytes in: our own error or a value. Flipped bits never verify."""

from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from sealmesh.adapters.keys import OsKeyFactory
from sealmesh.errors.pki import AuthorityError, CertificateRequestError, IdentityError, MarbleChainError
from sealmesh.pki import (
    Authority,
    issue_authority,
    issue_leaf,
    marble_id,
    parse_csr,
    parse_marble_id,
    verify_marble_chain,
)

pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number")
NOW = datetime(2031, 5, 4, tzinfo=UTC)
U = UUID("6f9619ff-8b86-4d01-b42d-00cf4fc964ff")


@cache
def mesh():
    authority = issue_authority(
        OsKeyFactory(),
        dns_names=["localhost"],
        now=NOW,
        lifetime=timedelta(days=1),
        entropy=lambda size: b"\x07" * size,
        simulation=True,
    )
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = issue_leaf(
        authority,
        public_key=key.public_key(),
        uuid=U,
        marble_type="baker",
        subject=x509.Name([]),
        dns_names=["a"],
        ip_addresses=[],
        now=NOW,
        lifetime=timedelta(hours=1),
        serial=5,
        simulation=True,
    )
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    root = authority.marble_root_cert.public_bytes(Encoding.DER)
    return authority.to_bytes(), leaf.public_bytes(Encoding.DER), root, csr.public_bytes(Encoding.DER)


def flipped(data: bytes, bit: int) -> bytes:
    bit %= len(data) * 8
    return bytes([*data[: bit // 8], data[bit // 8] ^ (1 << bit % 8), *data[bit // 8 + 1 :]])


@given(st.text(), st.text())
def test_marble_ids_are_injective_and_read_back(first, second):
    try:
        one, two = marble_id("mesh-1", first, U), marble_id("mesh-1", second, U)
    except IdentityError:
        return
    assert (one == two) == (first == second)
    assert parse_marble_id(one).marble_type == first


@given(st.text())
def test_any_text_is_a_marble_id_or_refused(text):
    for uri in (text, f"spiffe://mesh-1/marble/{text}/{U}"):
        try:
            found = parse_marble_id(uri)
        except IdentityError:
            continue
        assert str(found) == uri


@given(st.binary(max_size=300))
def test_any_bytes_as_certificate_or_request_give_our_error(data):
    with pytest.raises(MarbleChainError):
        verify_marble_chain(data, root=mesh()[2], now=NOW)
    with pytest.raises(CertificateRequestError):
        parse_csr(data)
    with pytest.raises(AuthorityError):
        Authority.from_bytes(b"sealmesh authority 1\n" + data)


@settings(max_examples=300, deadline=None)
@given(st.integers(min_value=0))
def test_a_leaf_with_a_flipped_bit_never_verifies(bit):
    _, leaf, root, _ = mesh()
    with pytest.raises(MarbleChainError):
        verify_marble_chain(flipped(leaf, bit), root=root, now=NOW)


@settings(max_examples=300, deadline=None)
@given(st.integers(min_value=0))
def test_a_request_with_a_flipped_bit_is_never_accepted(bit):
    with pytest.raises(CertificateRequestError):
        parse_csr(flipped(mesh()[3], bit))


@settings(max_examples=100, deadline=None)
@given(st.integers(min_value=0))
def test_a_stored_authority_with_a_flipped_bit_is_refused_or_the_same(bit):
    stored = mesh()[0]
    try:
        found = Authority.from_bytes(flipped(stored, bit))
    except AuthorityError:
        return
    # A few bits of a PKCS #8 encoding say nothing (the optional public key in it): the value is the same.
    assert found.to_bytes() == stored
