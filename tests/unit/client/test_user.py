"""A user's certificate and key, as the connection shows them."""

import os
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from sealmesh.client import UserCertificate, read_user
from sealmesh.client.tls import recording_context
from sealmesh.errors.client import CredentialError


@contextmanager
def descriptors_unchanged():
    before = len(os.listdir("/proc/self/fd"))
    yield
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.fixture(scope="module")
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def certificate(marble) -> bytes:
    """Some certificate with its key, PEM."""
    return marble("cashier", whole_chain=False)


def pem(key, encryption=None) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def parts(both: bytes) -> tuple[bytes, bytes]:
    start = both.index(b"-----BEGIN PRIVATE KEY")
    return both[:start], both[start:]


def test_certificate_and_key_are_shown(certificate: bytes) -> None:
    chain, key_pem = parts(certificate)
    user = UserCertificate(chain_pem=chain, key_pem=key_pem)
    with descriptors_unchanged():
        user.transport(recording_context(lambda der: None)).close()
    assert key_pem.decode() not in repr(user)


def test_a_key_of_another_certificate_is_refused(certificate: bytes, key) -> None:
    user = UserCertificate(chain_pem=parts(certificate)[0], key_pem=pem(key))
    with descriptors_unchanged(), pytest.raises(CredentialError):
        user.transport(recording_context(lambda der: None))


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_a_password(certificate: bytes, key) -> None:
    encrypted = pem(key, BestAvailableEncryption(b"secret"))
    user = UserCertificate(chain_pem=parts(certificate)[0], key_pem=encrypted)
    with descriptors_unchanged(), pytest.raises(CredentialError, match="decrypt it first"):
        user.transport(recording_context(lambda der: None))


@pytest.mark.parametrize("chain", [b"", b"nothing"])
def test_what_is_no_certificate_is_refused(certificate: bytes, chain: bytes) -> None:
    user = UserCertificate(chain_pem=chain, key_pem=parts(certificate)[1])
    with pytest.raises(CredentialError):
        user.async_transport(recording_context(lambda der: None))


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(CredentialError, match=r"ada\.crt"):
        read_user(tmp_path / "ada.crt", tmp_path / "ada.key")
