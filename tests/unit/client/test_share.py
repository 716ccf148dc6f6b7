"""Recovery secrets in their owners' hands."""

import json
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from sealmesh.client import ShareKeyFile, encrypt_share, open_share
from sealmesh.client.exchange import b64
from sealmesh.errors.client import ShareKeyError
from sealmesh.errors.sealing import ShareError
from sealmesh.sealing.owners import unwrap_share, wrap_share

PLAIN = bytes(range(33))


@pytest.fixture(scope="module")
def owners() -> list[rsa.RSAPrivateKey]:
    return [rsa.generate_private_key(65537, 2048) for _ in range(3)]


def pem(key, encryption=None) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def public(key, encoding: Encoding = Encoding.PEM) -> bytes:
    return key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("length", [16, 32, 33])
def test_a_plain_secret_is_taken_as_it_is(length: int) -> None:
    assert open_share(bytes(length), None) == bytes(length)


def test_an_encrypted_secret_opens_with_its_owners_key_alone(owners) -> None:
    wrapped = wrap_share(PLAIN, owners[0].public_key())
    assert open_share(wrapped, ShareKeyFile(pem(owners[0]))) == PLAIN
    for key in (ShareKeyFile(pem(owners[1])), None):
        with pytest.raises(ShareError):
            open_share(wrapped, key)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_of_the_whole_recovery_data_each_owner_opens_his_own(owners, number: int) -> None:
    parts = {f"owner{n}": b64(wrap_share(bytes([n]) * 32, key.public_key())) for n, key in enumerate(owners)}
    data = json.dumps({"RecoverySecrets": parts}).encode()
    assert open_share(data, ShareKeyFile(pem(owners[number]))) == bytes([number]) * 32


@pytest.mark.parametrize(
    "share",
    [b"", b"{}", b'{"RecoverySecrets": {}}', b'{"RecoverySecrets": {"a": "*"}}', b"x" * 256, b"[" * 99999],
)
def test_what_is_no_secret_is_refused(owners, share: bytes) -> None:
    with pytest.raises(ShareError):
        open_share(share, ShareKeyFile(pem(owners[0])))


def test_recovery_data_of_others_is_refused(owners) -> None:
    parts = {"a": b64(wrap_share(PLAIN, owners[1].public_key())), "b": b64(os.urandom(256))}
    with pytest.raises(ShareError):
        open_share(json.dumps({"RecoverySecrets": parts}).encode(), ShareKeyFile(pem(owners[0])))


def test_a_signature_is_by_the_owner_over_the_plain_secret(owners) -> None:
    signature = ShareKeyFile(pem(owners[0])).sign(PLAIN)
    owners[0].public_key().verify(signature, PLAIN, padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_a_secret_is_encrypted_to_the_coordinators_key(owners, encoding: Encoding) -> None:
    assert unwrap_share(encrypt_share(PLAIN, public(owners[0], encoding)), owners[0]) == PLAIN


@pytest.mark.parametrize("kind", ["nothing", "EC", "encrypted", "public"])
def test_what_is_no_owners_key_is_refused(owners, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(
        {
            "nothing": b"nothing",
            "EC": pem(ec.generate_private_key(ec.SECP256R1())),
            "encrypted": pem(owners[0], BestAvailableEncryption(b"secret")),
            "public": public(owners[0]),
        }[kind]
    )
    with pytest.raises(ShareKeyError):
        ShareKeyFile.read(path)


def test_a_key_that_is_not_there_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(ShareKeyError, match=r"gone\.pem"):
        ShareKeyFile.read(tmp_path / "gone.pem")


@pytest.mark.parametrize("kind", ["nothing", "EC", "private"])
def test_what_is_no_coordinators_key_is_refused(owners, kind: str) -> None:
    found = {
        "nothing": b"nothing",
        "EC": public(ec.generate_private_key(ec.SECP256R1())),
        "private": pem(owners[0]),
    }
    with pytest.raises(ShareKeyError):
        encrypt_share(PLAIN, found[kind])
