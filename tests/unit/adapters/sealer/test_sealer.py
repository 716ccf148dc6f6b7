"""The file `sealed_key`, and what decides whose key opens it."""

import os

import pytest

from sealmesh.adapters.sealer import PlatformKeys, Sealer, SnpKeys
from sealmesh.errors import SealmeshError
from sealmesh.errors.attestation import PlatformError
from sealmesh.errors.store import SealerError, SealModeRefused

ONE, TWO = b"1" * 32, b"2" * 32


def platform(name, version=0):
    def seal_key(mode, *, security_version):
        if security_version > version:
            raise PlatformError("no key of a higher security version", found=security_version)
        return f"{name} {mode} {security_version}".encode().ljust(32)[:32]

    return PlatformKeys(seal_key, security_version=version)


def sealer(*sources):
    return Sealer([platform(item) if isinstance(item, str) else item for item in sources], entropy=os.urandom)


@pytest.mark.parametrize("keys", [[ONE], [ONE, TWO]])
@pytest.mark.parametrize("mode", ["ProductKey", "UniqueKey"])
def test_what_is_sealed_is_unsealed_in_its_order_and_mode(keys, mode):
    content = sealer("p").seal(keys, mode=mode, floor=7)
    found = sealer("p").unseal(content)
    assert found.keys == tuple(keys)
    assert found.floor == 7
    assert found.current
    assert ONE not in content


def test_another_platform_does_not_unseal():
    with pytest.raises(SealerError):
        sealer("q").unseal(sealer("p").seal([ONE]))


def test_the_first_source_seals_and_any_unseals():
    content = sealer("new", "old").seal([ONE])
    assert sealer("x", "new").unseal(content).keys == (ONE,)
    assert not sealer("x", "new").unseal(content).current
    with pytest.raises(SealerError):
        sealer("old").unseal(content)


def test_an_update_opens_what_the_version_before_sealed_and_says_that_it_is_to_be_sealed_anew():
    content = sealer(platform("p", version=3)).seal([ONE])
    found = sealer(platform("p", version=4)).unseal(content)
    assert found.keys == (ONE,)
    assert not found.current


def test_a_lower_security_version_does_not_open():
    content = sealer(platform("p", version=4)).seal([ONE])
    with pytest.raises(SealerError) as caught:
        sealer(platform("p", version=3)).unseal(content)
    assert "higher security version" in str(caught.value.found)


def test_a_lower_security_version_written_into_the_file_does_not_help():
    content = sealer(platform("p", version=4)).seal([ONE])
    assert content.count(b"\x00\x02\x00\x04") == 1
    with pytest.raises(SealerError):
        sealer(platform("p", version=3)).unseal(content.replace(b"\x00\x02\x00\x04", b"\x00\x02\x00\x03"))


def test_a_changed_mode_or_kind_does_not_open():
    content = sealer("p").seal([ONE], mode="UniqueKey")
    with pytest.raises(SealerError):
        sealer("p").unseal(content.replace(b"\x09UniqueKey", b"\x0aProductKey"))
    with pytest.raises(SealerError) as caught:
        sealer("p").unseal(content.replace(b"\x08platform", b"\x03tpm"))
    assert caught.value.found == "sealed by 'tpm', and this Coordinator has 'platform'"


def test_a_floor_cannot_be_changed():
    content = bytearray(sealer("p").seal([ONE], floor=7))
    content[-60] ^= 1
    with pytest.raises(SealerError):
        sealer("p").unseal(bytes(content))


def test_every_cut_is_refused():
    content = sealer("p").seal([ONE])
    for end in range(len(content)):
        with pytest.raises(SealerError):
            sealer("p").unseal(content[:end])


def test_a_platform_without_a_key_is_a_refusal_not_a_crash():
    def broken(mode, *, security_version):
        raise SealmeshError("the platform is asleep")

    content = sealer("p").seal([ONE])
    with pytest.raises(SealerError) as caught:
        sealer(PlatformKeys(broken)).unseal(content)
    assert caught.value.found == "the platform is asleep"


def test_a_mode_that_a_source_cannot_keep_is_refused_with_what_to_do():
    with pytest.raises(SealModeRefused) as caught:
        sealer(SnpKeys()).seal([ONE], mode="ProductKey")
    assert caught.value.wanted == "UniqueKey or Disabled"
    assert '"SealMode": "UniqueKey"' in caught.value.remedy


def test_without_a_mode_the_first_that_can_be_kept_is_taken():
    assert sealer("p").mode_for("") == "ProductKey"
    assert sealer(SnpKeys()).mode_for("") == "UniqueKey"


def test_a_sealer_without_sources_is_our_own_fault():
    with pytest.raises(ValueError, match="source of keys"):
        Sealer([], entropy=os.urandom)
