"""Keys of AWS-LC are keys of the library: whatever one makes, the other takes."""

import copy
import hashlib
from collections.abc import Iterator

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)
from hypothesis import given
from hypothesis import strategies as st

from sealmesh.pki import p384

SHA384 = ec.ECDSA(hashes.SHA384())
ALGORITHMS = [ec.ECDSA(kind()) for kind in (hashes.SHA256, hashes.SHA384, hashes.SHA512, hashes.SHA3_256)]
#: The order of the group (SEC 2, section 2.5.1).
ORDER = int(
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16
)
LIBRARY = ec.generate_private_key(ec.SECP384R1())
SWIFT = p384.swift(LIBRARY)


def pkcs8(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def spki(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def refused(key: ec.EllipticCurvePublicKey, signature: bytes, data: bytes) -> bool:
    try:
        p384.verify(key, signature, data, SHA384)
    except InvalidSignature:
        return True
    return False


def test_it_is_there() -> None:
    assert isinstance(SWIFT, p384.PrivateKey)
    assert isinstance(p384.generate(), p384.PrivateKey)


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda each: each.algorithm.name)
def test_each_takes_the_signatures_of_the_other(algorithm: ec.ECDSA) -> None:
    LIBRARY.public_key().verify(SWIFT.sign(b"data", algorithm), b"data", algorithm)
    SWIFT.public_key().verify(LIBRARY.sign(b"data", algorithm), b"data", algorithm)
    p384.verify(LIBRARY.public_key(), LIBRARY.sign(b"data", algorithm), b"data", algorithm)


def test_what_it_does_not_do_the_library_does() -> None:
    digest, prehashed = hashlib.sha384(b"data").digest(), ec.ECDSA(Prehashed(hashes.SHA384()))
    LIBRARY.public_key().verify(SWIFT.sign(digest, prehashed), b"data", SHA384)
    fixed = ec.ECDSA(hashes.SHA384(), deterministic_signing=True)
    assert SWIFT.sign(b"data", fixed) == LIBRARY.sign(b"data", fixed)
    other = ec.generate_private_key(ec.SECP384R1())
    shared = LIBRARY.exchange(ec.ECDH(), other.public_key())
    assert SWIFT.exchange(ec.ECDH(), p384.swift(other).public_key()) == shared
    assert SWIFT.private_numbers() == LIBRARY.private_numbers()
    assert SWIFT.public_key().public_numbers() == LIBRARY.public_key().public_numbers()
    sealed = SWIFT.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word"))
    assert pkcs8(load_pem_private_key(sealed, b"word")) == pkcs8(LIBRARY)  # type: ignore[arg-type]


def test_it_is_written_as_the_library_writes_it() -> None:
    assert pkcs8(SWIFT) == pkcs8(LIBRARY)
    assert spki(SWIFT.public_key()) == spki(LIBRARY.public_key())
    assert SWIFT.public_key() == LIBRARY.public_key()
    assert LIBRARY.public_key() == SWIFT.public_key()._library  # type: ignore[attr-defined]
    assert SWIFT.public_key() != ec.generate_private_key(ec.SECP384R1()).public_key()
    assert copy.copy(SWIFT) is copy.deepcopy(SWIFT) is SWIFT
    assert (SWIFT.key_size, SWIFT.curve.name, SWIFT.public_key().key_size) == (384, "secp384r1", 384)


@pytest.mark.parametrize("number", [1, 2, 255, 1 << 376, (1 << 376) - 1, (1 << 368) - 1, ORDER - 1])
def test_a_number_that_begins_with_zeros_is_written_whole(number: int) -> None:
    key = ec.derive_private_key(number, ec.SECP384R1())
    assert pkcs8(p384.swift(key)) == pkcs8(key)


def test_every_key_it_makes_can_be_read() -> None:
    for _ in range(1500):  # one number in 256 begins with a zero
        key = p384.generate()
        read = load_der_private_key(pkcs8(key), None)
        assert isinstance(read, ec.EllipticCurvePrivateKey)
        assert spki(read.public_key()) == spki(key.public_key())


@given(st.integers(0, 8 * 102), st.binary(max_size=64))
def test_a_flipped_bit_of_a_signature_or_other_data_is_refused(bit: int, data: bytes) -> None:
    signature = bytearray(LIBRARY.sign(data, SHA384))
    bit %= len(signature) * 8
    signature[bit // 8] ^= 1 << bit % 8
    assert refused(LIBRARY.public_key(), bytes(signature), data)
    assert refused(LIBRARY.public_key(), SWIFT.sign(data, SHA384), data + b"\0")


@given(st.binary(max_size=160))
def test_arbitrary_bytes_are_no_signature(raw: bytes) -> None:
    assert refused(LIBRARY.public_key(), raw, b"data")


def odd_signatures() -> Iterator[tuple[str, bytes]]:
    good = LIBRARY.sign(b"data", SHA384)
    r, s = decode_dss_signature(good)
    yield "empty", b""
    yield "bytes after it", good + b"\0"
    yield "cut off", good[:-1]
    yield "zeros", encode_dss_signature(0, 0)
    yield "r is the order", encode_dss_signature(ORDER, s)
    yield "r and the order", encode_dss_signature(r + ORDER, s)
    yield "s and the order", encode_dss_signature(r, s + ORDER)
    yield "a length in two bytes", b"\x30\x81" + good[1:]


@pytest.mark.parametrize("signature", [pytest.param(raw, id=name) for name, raw in odd_signatures()])
def test_no_other_encoding_of_a_signature_is_taken(signature: bytes) -> None:
    assert refused(LIBRARY.public_key(), signature, b"data")


def test_other_curves_are_the_librarys() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    algorithm = ec.ECDSA(hashes.SHA256())
    assert p384.swift(key) is key
    p384.verify(key.public_key(), key.sign(b"data", algorithm), b"data", algorithm)
    with pytest.raises(InvalidSignature):
        p384.verify(key.public_key(), key.sign(b"data", algorithm), b"date", algorithm)


def test_without_it_the_library_does_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(p384, "_aws_lc", lambda: None)
    key = p384.generate()
    assert not isinstance(key, p384.PrivateKey)
    assert p384.swift(key) is key
    p384.verify(key.public_key(), key.sign(b"data", SHA384), b"data", SHA384)
    assert refused(key.public_key(), key.sign(b"data", SHA384), b"date")


def test_a_key_does_not_show_in_its_text() -> None:
    number = f"{LIBRARY.private_numbers().private_value:x}"
    assert number not in repr(SWIFT)
    assert not hasattr(SWIFT, "private_value")
