import os

import pytest

from sealmesh.adapters.sealer import PlatformSealer
from sealmesh.errors import SealmeshError
from sealmesh.errors.store import SealerError

ONE, TWO = b"1" * 32, b"2" * 32


def sealer(*platform_keys):
    return PlatformSealer(
        [lambda mode, key=key: (key + mode.encode()).ljust(32)[:32] for key in platform_keys],
        entropy=os.urandom,
    )


@pytest.mark.parametrize("keys", [[ONE], [ONE, TWO]])
@pytest.mark.parametrize("mode", ["ProductKey", "UniqueKey"])
def test_what_is_sealed_is_unsealed_in_its_order_and_mode(keys, mode):
    content = sealer(b"p").seal(keys, mode=mode)
    assert sealer(b"p").unseal(content) == tuple(keys)
    assert ONE not in content


def test_another_platform_does_not_unseal():
    with pytest.raises(SealerError):
        sealer(b"q").unseal(sealer(b"p").seal([ONE]))


def test_the_first_platform_key_seals_and_any_unseals():
    content = sealer(b"new", b"old").seal([ONE])
    assert sealer(b"x", b"new").unseal(content) == (ONE,)
    with pytest.raises(SealerError):
        sealer(b"old").unseal(content)


def test_a_platform_without_a_key_is_a_refusal_not_a_crash():
    def broken(mode):
        raise SealmeshError("the platform is asleep")

    content = sealer(b"p").seal([ONE])
    with pytest.raises(SealerError) as caught:
        PlatformSealer([broken], entropy=os.urandom).unseal(content)
    assert caught.value.found == "the platform is asleep"


def test_a_sealer_without_platform_keys_is_our_own_fault():
    with pytest.raises(ValueError, match="platform key"):
        PlatformSealer([], entropy=os.urandom)
