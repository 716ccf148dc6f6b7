import pytest

from sealmesh.errors.sealing import SealingError
from sealmesh.sealing import (
    OVERHEAD_BYTES,
    derive_key,
    key_id,
    seal_record,
    unseal_record,
    unwrap_key,
    wrap_key,
)

KEY, NONCE = bytes(range(32)), bytes(range(100, 124))
SEALED = seal_record(KEY, place="record\0a", version=7, plaintext=b"flour", nonce=NONCE)


VECTOR = "016465666768696a6b6c6d6e6f707172737475767778797a7baad5b359a75ae5418469b4f01e946e009429c662df"


def test_a_record_opens_where_and_as_what_it_was_sealed():
    assert unseal_record(KEY, place="record\0a", version=7, sealed=SEALED) == b"flour"
    assert len(SEALED) == len(b"flour") + OVERHEAD_BYTES
    assert b"flour" not in SEALED


def test_the_format_stays_as_it_is():
    """A changed encoding would make every state unreadable: this vector may only be added to."""
    assert SEALED.hex() == VECTOR


@pytest.mark.parametrize(
    ("attack", "changed"),
    [
        ("another key", {"key": bytes(32)}),
        ("moved to another place", {"place": "record\0b"}),
        ("an older version", {"version": 6}),
        ("cut off", {"sealed": SEALED[:-1]}),
        ("a byte too many", {"sealed": SEALED + b"\0"}),
        ("empty", {"sealed": b""}),
        ("another format", {"sealed": b"\x02" + SEALED[1:]}),
    ],
)
def test_a_record_does_not_open_otherwise(attack, changed):
    asked = {"key": KEY, "place": "record\0a", "version": 7, "sealed": SEALED, **changed}
    with pytest.raises(SealingError):
        unseal_record(asked.pop("key"), **asked)


def test_version_and_place_do_not_run_into_each_other():
    sealed = seal_record(KEY, place="\x01", version=0, plaintext=b"", nonce=NONCE)
    with pytest.raises(SealingError):
        unseal_record(KEY, place="", version=1, sealed=sealed)


@pytest.mark.parametrize(("key", "nonce"), [(KEY[:16], NONCE), (KEY, NONCE[:12]), (b"", b"")])
def test_keys_and_nonces_of_other_lengths_are_our_own_fault(key, nonce):
    with pytest.raises(ValueError, match="length"):
        seal_record(key, place="a", version=1, plaintext=b"", nonce=nonce)


def test_a_wrapped_key_opens_with_its_encryption_key_and_generation_only():
    data_key = bytes(range(50, 82))
    wrapped = wrap_key(KEY, data_key, generation=3, nonce=NONCE)
    assert unwrap_key(KEY, wrapped, generation=3) == data_key
    for key, generation in ((data_key, 3), (KEY, 2)):
        with pytest.raises(SealingError):
            unwrap_key(key, wrapped, generation=generation)


def test_a_wrapped_key_of_another_length_is_refused():
    with pytest.raises(SealingError):
        unwrap_key(KEY, wrap_key(KEY, b"short", generation=1, nonce=NONCE), generation=1)


def test_derived_keys_and_ids_differ_by_key_and_purpose():
    assert len({derive_key(KEY, "a"), derive_key(KEY, "b"), derive_key(NONCE, "a"), KEY}) == 4
    assert key_id(KEY) != key_id(bytes(32))
    assert len(key_id(KEY)) == 16
