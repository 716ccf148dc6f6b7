import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from sealmesh.adapters.keys import OsKeyFactory


@pytest.mark.parametrize("bits", [224, 256, 384, 521])
def test_each_curve_is_the_one_of_its_size_and_each_key_another(bits):
    keys = OsKeyFactory()
    first, second = keys.ec(bits), keys.ec(bits)
    assert first.curve.key_size == bits
    assert first.private_numbers() != second.private_numbers()


def test_rsa_and_ed25519_keys_are_made():
    keys = OsKeyFactory()
    rsa = keys.rsa(1024)
    assert (rsa.key_size, rsa.public_key().public_numbers().e) == (1024, 65537)
    assert isinstance(keys.ed25519(), ed25519.Ed25519PrivateKey)


def test_a_curve_that_does_not_exist_is_our_own_fault():
    with pytest.raises(ValueError, match="no NIST curve"):
        OsKeyFactory().ec(255)
