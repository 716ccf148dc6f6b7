"""Flipped bits in sealed data never unseal; any bytes give our own error or a value."""

import os

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sealmesh.errors.sealing import SealingError, ShareError
from sealmesh.sealing import (
    RecoveryInfo,
    RecoveryProgress,
    combine_shares,
    seal_record,
    split_recovery_key,
    unseal_record,
    unwrap_key,
)

keys = st.binary(min_size=32, max_size=32)
nonces = st.binary(min_size=24, max_size=24)
versions = st.integers(0, 2**64 - 1)


@given(keys, nonces, versions, st.text(), st.binary(max_size=200))
def test_what_is_sealed_is_unsealed(key, nonce, version, place, plaintext):
    try:
        place.encode()
    except UnicodeEncodeError:
        return
    sealed = seal_record(key, place=place, version=version, plaintext=plaintext, nonce=nonce)
    assert unseal_record(key, place=place, version=version, sealed=sealed) == plaintext


@given(keys, nonces, versions, st.binary(max_size=60), st.integers(min_value=0))
def test_a_flipped_bit_never_unseals(key, nonce, version, plaintext, bit):
    sealed = bytearray(seal_record(key, place="a", version=version, plaintext=plaintext, nonce=nonce))
    bit %= len(sealed) * 8
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SealingError):
        unseal_record(key, place="a", version=version, sealed=bytes(sealed))


def test_no_single_flipped_bit_unseals():
    sealed = seal_record(bytes(32), place="a", version=1, plaintext=b"x" * 40, nonce=bytes(24))
    for bit in range(len(sealed) * 8):
        damaged = bytearray(sealed)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealingError):
            unseal_record(bytes(32), place="a", version=1, sealed=bytes(damaged))


@given(keys, st.binary(max_size=200))
def test_arbitrary_bytes_do_not_unseal(key, data):
    for unseal in (
        lambda: unseal_record(key, place="a", version=1, sealed=data),
        lambda: unwrap_key(key, data, generation=1),
    ):
        with pytest.raises(SealingError):
            unseal()


@given(st.binary(max_size=200))
def test_arbitrary_recovery_data_is_read_or_refused(data):
    for candidate in (data, b"sealmesh recovery 1\n" + data):
        try:
            info = RecoveryInfo.from_bytes(candidate)
        except SealingError:
            continue
        assert info.to_bytes() == candidate


@given(keys, st.integers(2, 12).flatmap(lambda n: st.tuples(st.just(n), st.integers(2, n))), st.randoms())
def test_any_sufficient_shares_recover_the_key(key, scheme, random):
    assume(any(key))  # two shares of the all-zero key are equal, and one given twice is refused
    owners, threshold = scheme
    found = split_recovery_key(key, owners=owners, threshold=threshold, entropy=os.urandom)
    assert combine_shares(random.sample(found.shares, threshold), found.info) == key


@given(st.binary(max_size=40))
def test_arbitrary_bytes_are_no_share(share):
    info = split_recovery_key(b"k" * 32, owners=3, threshold=2, entropy=os.urandom).info
    with pytest.raises(ShareError):
        RecoveryProgress(info=info).with_share(share)
