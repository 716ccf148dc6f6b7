"""OpenSSL, in its strict mode (the default of Python 3.13's `ssl`), takes our chains as they are."""

from datetime import UTC, datetime

import pytest
from OpenSSL import crypto

NOW = datetime(2031, 5, 4, 12, 0, 0, tzinfo=UTC)


def verify(certificate, *, root, between=()):
    store = crypto.X509Store()
    store.add_cert(crypto.X509.from_cryptography(root))
    store.set_flags(crypto.X509StoreFlags.X509_STRICT)
    store.set_time(NOW)
    chain = [crypto.X509.from_cryptography(item) for item in between]
    crypto.X509StoreContext(store, crypto.X509.from_cryptography(certificate), chain).verify_certificate()


def test_a_leaf_verifies_under_the_marble_root(authority, make_leaf):
    verify(make_leaf(simulation=True), root=authority.marble_root_cert)


def test_a_leaf_verifies_under_the_root_with_the_intermediate(authority, make_leaf):
    verify(make_leaf(), root=authority.root_cert, between=[authority.intermediate_cert])


def test_a_leaf_of_another_mesh_does_not(authority, other_authority, make_leaf):
    with pytest.raises(crypto.X509StoreContextError):
        verify(make_leaf(other_authority), root=authority.marble_root_cert)
