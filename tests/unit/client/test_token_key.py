"""What a token's key is not even asked to decrypt."""

from contextlib import contextmanager

import pkcs11
import pytest

from sealmesh.client.token.key import TokenKey
from sealmesh.client.token.place import Place
from sealmesh.errors.sealing import ShareError

MODULUS = b"\x80" + bytes(255)


class Key:
    """Like SoftHSM's: whatever is wrong is an error in general."""

    def __init__(self) -> None:
        self.asked = 0

    def __getitem__(self, attribute: object) -> bytes:
        assert attribute is pkcs11.Attribute.MODULUS
        return MODULUS

    def decrypt(self, *_what: object, **_how: object) -> bytes:
        self.asked += 1
        raise pkcs11.exceptions.GeneralError


class Session:
    def __init__(self, key: Key) -> None:
        self._key = key

    def get_objects(self, _wanted: object) -> list[Key]:
        return [self._key]


@pytest.mark.parametrize("ciphertext", [MODULUS, b"\xff" * 256], ids=["the modulus", "larger"])
def test_a_number_beyond_the_modulus_was_encrypted_for_another_key(ciphertext: bytes) -> None:
    key = Key()

    @contextmanager
    def sessions():
        yield Session(key)

    token = TokenKey(sessions, Place(key_id=b"1", label=None, or_id=None))
    with pytest.raises(ShareError) as caught:
        token.decrypt(ciphertext)
    assert caught.value.code == "recovery-share-encryption"
    assert key.asked == 0
    with pytest.raises(pkcs11.exceptions.GeneralError):
        token.decrypt(b"\x7f" + b"\xff" * 255)
    assert key.asked == 1
