"""What of tokens needs no token."""

import json
import os
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sealmesh.client.token import Place, parse_token_configuration
from sealmesh.client.token.oaep import remove_oaep_padding
from sealmesh.errors.client import TokenError

LABEL = {"Path": "/lib.so", "TokenLabel": "ops"}


def test_a_configuration_as_marblerun_has_it_is_read() -> None:
    members = {"Path": "/lib.so", "TokenLabel": "ops", "Pin": "1234", "MaxSessions": 4, "PoolWaitTimeout": 0}
    found = parse_token_configuration(json.dumps(members).encode())
    assert (str(found.library), found.label, found.pin) == ("/lib.so", "ops", "1234")
    assert "1234" not in repr(found)


def test_the_files_pin_counts_before_the_environments() -> None:
    raw = json.dumps(LABEL | {"Pin": "1"}).encode()
    assert parse_token_configuration(raw, pin="2").pin == "1"
    assert parse_token_configuration(json.dumps(LABEL).encode(), pin="2").pin == "2"


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"Path": "/lib.so"},
        {"TokenLabel": "ops"},
        LABEL | {"TokenSerial": "1"},
        LABEL | {"Surprise": 1},
        LABEL | {"Pin": 1234},
        {"Path": "/lib.so", "SlotNumber": "0"},
        {"Path": "/lib.so", "SlotNumber": True},
        {"Path": "/lib.so", "SlotNumber": -1},
        [],
    ],
)
def test_a_configuration_that_names_no_one_token_is_refused(members: object) -> None:
    with pytest.raises(TokenError):
        parse_token_configuration(json.dumps(members).encode())


@pytest.mark.parametrize(
    ("text", "key_id", "or_id"),
    [
        ("01", b"\x01", b"01"),
        ("0xA1b2", b"\xa1\xb2", b"0xA1b2"),
        ("a1:b2", b"\xa1\xb2", b"a1:b2"),
        ("ada", b"ada", None),
        ("1", b"1", None),
    ],
)
def test_an_id_is_hex_or_text(text: str, key_id: bytes, or_id: bytes | None) -> None:
    assert Place.parse(key_id=text, label=None) == Place(key_id, None, or_id)


def test_nothing_is_no_place() -> None:
    assert Place.parse(key_id=None, label=None) is None
    with pytest.raises(TokenError):
        Place()


@pytest.mark.parametrize("package", ["pkcs11", "tlslite"])
def test_without_the_extra_packages_it_says_what_to_install(tmp_path, package: str) -> None:
    (tmp_path / "token.json").write_text(json.dumps(LABEL))
    program = f"import sys; sys.modules[{package!r}] = None; from sealmesh.cli import main; sys.exit(main())"
    words = (
        "secret",
        "get",
        "pin",
        "127.0.0.1:1",
        "--pkcs11-config",
        "token.json",
        "--pkcs11-key-label",
        "a",
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error [token]")
    assert "pip install 'sealmesh[hsm]'" in done.stderr


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def block_of(key: rsa.RSAPrivateKey, message: bytes) -> bytes:
    """What RSA alone makes of an OAEP ciphertext."""
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    numbers = key.private_numbers()
    cipher = int.from_bytes(key.public_key().encrypt(message, oaep), "big")
    return pow(cipher, numbers.d, numbers.public_numbers.n).to_bytes(256, "big")


@pytest.mark.parametrize("length", [0, 1, 33, 190])
def test_oaep_padding_is_removed(key: rsa.RSAPrivateKey, length: int) -> None:
    message = os.urandom(length)
    assert remove_oaep_padding(block_of(key, message)) == message


@pytest.mark.parametrize("position", [0, 1, 32, 33, 64, 65, 100])
def test_a_changed_block_is_refused(key: rsa.RSAPrivateKey, position: int) -> None:
    block = bytearray(block_of(key, b"m" * 33))
    block[position] ^= 1
    with pytest.raises(ValueError):
        remove_oaep_padding(bytes(block))


@pytest.mark.parametrize("block", [b"", bytes(65), bytes(256)])
def test_no_block_is_refused(block: bytes) -> None:
    with pytest.raises(ValueError):
        remove_oaep_padding(block)
