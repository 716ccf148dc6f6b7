import itertools
import os

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sealmesh.errors.sealing import RecoverySchemeError, SealingError, ShareError
from sealmesh.sealing import (
    NO_RECOVERY,
    RecoveryInfo,
    RecoveryProgress,
    combine_shares,
    shamir,
    split_recovery_key,
    unwrap_share,
    verify_share_signature,
    wrap_share,
)

KEY = bytes(range(32))


def shared(owners, threshold=0):
    return split_recovery_key(KEY, owners=owners, threshold=threshold, entropy=os.urandom)


def test_one_owner_has_the_key_itself():
    found = shared(1)
    assert found.shares == (KEY,)
    assert combine_shares(found.shares, found.info) == KEY


@pytest.mark.parametrize("threshold", [0, 3])
def test_the_xor_of_all_shares_is_the_key(threshold):
    found = shared(3, threshold)
    assert [len(share) for share in found.shares] == [32, 32, 32]
    xor = bytes(a ^ b ^ c for a, b, c in zip(*found.shares, strict=True))
    assert xor == KEY == combine_shares(found.shares[::-1], found.info)


@pytest.mark.parametrize(("owners", "threshold"), [(3, 2), (5, 3), (6, 5)])
def test_any_threshold_of_shamir_shares_gives_the_key(owners, threshold):
    found = shared(owners, threshold)
    assert [share[-1] for share in found.shares] == list(range(1, owners + 1))
    assert {len(share) for share in found.shares} == {33}
    for chosen in itertools.permutations(found.shares, threshold):
        assert combine_shares(chosen, found.info) == KEY


def test_fewer_shares_than_the_threshold_give_nothing():
    found = shared(5, 3)
    with pytest.raises(ShareError):
        combine_shares(found.shares[:2], found.info)
    assert shamir.combine({share[-1]: share[:-1] for share in found.shares[:2]}) != KEY


def test_the_field_is_the_one_of_aes():
    # FIPS 197, 4.2: {57} x {83} = {c1}; a line through 0x57 with slope 0x83 at x = 1 is 0x57 ^ 0x83.
    points = shamir.split(b"\x57", shares=2, threshold=2, entropy=lambda _: b"\x83")
    assert points == {1: bytes([0x57 ^ 0x83]), 2: bytes([0x57 ^ 0x1D])}


def test_many_owners_are_shared_among_in_reasonable_time():
    found = shared(255, 200)
    assert combine_shares(found.shares[30:230], found.info) == KEY


@pytest.mark.parametrize(("owners", "threshold"), [(2, 1), (2, 3), (256, 0), (1, 2), (3, -1)])
def test_impossible_schemes_are_refused(owners, threshold):
    with pytest.raises(RecoverySchemeError):
        shared(owners, threshold)


def test_progress_counts_as_the_api_does():
    found = shared(5, 3)
    progress = RecoveryProgress(info=found.info)
    counts = []
    for share in (found.shares[4], found.shares[1], found.shares[3]):
        progress = progress.with_share(share)
        counts.append(progress.remaining)
    assert counts == [4, 3, 0]
    assert progress.key() == KEY


@pytest.mark.parametrize(
    ("attack", "share"),
    [
        ("unknown", b"w" * 33),
        ("too short", b"w" * 32),
        ("of 16 bytes", b"w" * 16),
        ("empty", b""),
    ],
)
def test_a_share_that_is_none_is_refused_and_the_count_stays(attack, share):
    progress = RecoveryProgress(info=shared(3, 2).info)
    with pytest.raises(ShareError):
        progress.with_share(share)
    assert progress.remaining == 3


def test_a_repeated_share_is_refused():
    found = shared(3)
    progress = RecoveryProgress(info=found.info).with_share(found.shares[0])
    with pytest.raises(ShareError) as caught:
        progress.with_share(found.shares[0])
    assert caught.value.code == "recovery-share-repeated"
    assert progress.remaining == 2


def test_a_share_of_an_older_key_is_refused():
    with pytest.raises(ShareError):
        RecoveryProgress(info=shared(3).info).with_share(shared(3).shares[0])


def test_without_owners_nobody_recovers():
    assert shared(0).info == NO_RECOVERY
    with pytest.raises(ShareError):
        RecoveryProgress(info=NO_RECOVERY).with_share(KEY)
    with pytest.raises(ShareError):
        combine_shares([], NO_RECOVERY)


@pytest.mark.parametrize(("owners", "threshold"), [(0, 0), (1, 0), (3, 0), (5, 3)])
def test_recovery_data_is_read_back(owners, threshold):
    info = shared(owners, threshold).info
    assert RecoveryInfo.from_bytes(info.to_bytes()) == info


@pytest.mark.parametrize(
    "damage", [lambda d: b"", lambda d: d[:-1], lambda d: d + b"\0", lambda d: b"x" + d[1:]]
)
def test_damaged_recovery_data_is_refused(damage):
    with pytest.raises(SealingError):
        RecoveryInfo.from_bytes(damage(shared(3, 2).info.to_bytes()))


def test_an_impossible_threshold_in_recovery_data_is_refused():
    data = bytearray(shared(3, 2).info.to_bytes())
    data[21] = 9
    with pytest.raises(SealingError):
        RecoveryInfo.from_bytes(bytes(data))


def test_no_share_appears_in_a_repr():
    found = shared(3, 2)
    progress = RecoveryProgress(info=found.info).with_share(found.shares[0])
    assert repr(found.shares[0])[2:20] not in repr(found) + repr(progress)


def test_a_share_travels_to_its_owner_and_back_signed():
    owner = rsa.generate_private_key(65537, 2048)
    wrapped = wrap_share(KEY, owner.public_key())
    assert unwrap_share(wrapped, owner) == KEY
    signature = owner.sign(KEY, padding.PKCS1v15(), hashes.SHA256())
    verify_share_signature(KEY, signature, owner.public_key())
    with pytest.raises(ShareError):
        unwrap_share(wrapped[:-1] + bytes([wrapped[-1] ^ 1]), owner)
    for bad in (b"", b"x" * 256, signature[::-1]):
        with pytest.raises(ShareError):
            verify_share_signature(KEY, bad, owner.public_key())
    with pytest.raises(ShareError):
        verify_share_signature(b"other" * 6, signature, owner.public_key())


def test_an_owners_key_that_is_too_small_is_refused():
    with pytest.raises(ShareError):
        wrap_share(KEY * 4, rsa.generate_private_key(65537, 1024).public_key())
