"""The contract of the port `SealingKeys`, against every adapter.

Each adapter comes in three variants: this software on this platform, the next version of it there, and
another software on another platform.
"""

import ctypes
import errno
import hashlib
import hmac
import os
import struct
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sealmesh.adapters.sealer import GramineKeys, PlatformKeys, Sealer, SnpKeys
from sealmesh.adapters.sealer.pkcs11 import TokenKey, TokenKeys
from sealmesh.adapters.sealer.tpm import TpmKeys
from sealmesh.adapters.store import SealedSeat
from sealmesh.adapters.tpm import Tpm
from sealmesh.attestation.simulated import SealMode as PlatformMode
from sealmesh.attestation.simulated import SimulatedEnclave
from sealmesh.coordinator.ports import Change, SealPlan
from sealmesh.errors import SealmeshError
from sealmesh.errors.store import SealerError, SealModeRefused, TokenError, TpmError
from sealmesh.manifest import SealMode


@dataclass
class World:
    """One adapter. `before_update` does what has to happen on the platform before `updated` runs on it."""

    here: Any
    updated: Any
    elsewhere: Any
    modes: tuple[str, ...]
    before_update: Any = field(default=lambda: None)


class SnpFirmware:
    """Emulates the ioctl on raw memory, laid out as the kernel's header says, not as the adapter does."""

    def __init__(self, *, chip=b"chip", measurement=b"image", vmpl=0):
        self.chip, self.measurement, self.vmpl = chip, measurement, vmpl

    def __call__(self, _descriptor, request, call):
        address = ctypes.addressof(call)
        version, asked, answer, _, _ = struct.unpack("<B7xQQII", ctypes.string_at(address, 32))
        assert request == 0xC0205301
        assert version == 1
        root, zero, fields, vmpl, svn, tcb = struct.unpack("<IIQIIQ", ctypes.string_at(asked, 32))
        assert zero == 0
        if vmpl < self.vmpl:
            ctypes.memmove(address + 24, struct.pack("<II", 0x16, 0), 8)
            raise OSError(errno.EIO, "Input/output error")
        parts = [self.chip, struct.pack("<IIQ", root, svn, tcb), bytes((vmpl,))]
        for bit, name in enumerate((b"policy", b"image id", b"family id", self.measurement)):
            parts.append(name if fields >> bit & 1 else b"-")
        key = hmac.digest(b"vcek", b"|".join(parts), hashlib.sha256)
        ctypes.memmove(answer, struct.pack("<I28x", 0) + key, 64)
        return 0


def platform_world(tmp_path):
    from sealmesh.adapters.attester.platform import open_or_create

    machine = open_or_create(tmp_path / "machine").platform
    other = open_or_create(tmp_path / "other").platform
    old = SimulatedEnclave(unique_id=b"1" * 32, signer_id=b"s" * 32, product_id=7, security_version=3)
    new = SimulatedEnclave(unique_id=b"2" * 32, signer_id=b"s" * 32, product_id=7, security_version=4)

    def keys(where, enclave):
        def seal_key(mode, *, security_version):
            return where.seal_key(enclave, PlatformMode(mode), security_version=security_version)

        return PlatformKeys(seal_key, security_version=enclave.security_version)

    return World(
        here=lambda: keys(machine, old),
        updated=lambda: keys(machine, new),
        elsewhere=lambda: keys(other, old),
        modes=("ProductKey", "UniqueKey"),
    )


def gramine_world(tmp_path):
    def keys(name, enclave, signer):
        directory = tmp_path / name
        directory.mkdir(exist_ok=True)
        (directory / "_sgx_mrenclave").write_bytes(enclave * 16)
        (directory / "_sgx_mrsigner").write_bytes(signer * 16)
        return GramineKeys(directory)

    return World(
        here=lambda: keys("here", b"e", b"s"),
        updated=lambda: keys("updated", b"f", b"s"),
        elsewhere=lambda: keys("elsewhere", b"x", b"y"),
        modes=("ProductKey", "UniqueKey"),
    )


def snp_world(tmp_path):
    device = tmp_path / "sev-guest"
    device.touch()
    return World(
        here=lambda: SnpKeys(device, ioctl=SnpFirmware()),
        updated=lambda: SnpKeys(device, ioctl=SnpFirmware(measurement=b"next image")),
        elsewhere=lambda: SnpKeys(device, ioctl=SnpFirmware(chip=b"another chip")),
        modes=("UniqueKey",),
    )


def tpm_world(tpm):
    def keys():
        return TpmKeys(Tpm(tpm.tcti), pcrs="sha256:0,16", entropy=os.urandom)

    class Elsewhere(TpmKeys):
        """The registers are another machine's: those that the recipe names are not the ones asked for."""

        def again(self, mode, recipe):
            return super().again(mode, recipe.replace(b"sha256:0,16", b"sha256:1,16"))

    def elsewhere():
        return Elsewhere(Tpm(tpm.tcti), pcrs="sha256:0,16", entropy=os.urandom)

    return World(
        here=keys,
        updated=keys,
        elsewhere=elsewhere,
        modes=("UniqueKey",),
        before_update=lambda: tpm.extend(16),
    )


def token_world(hsm):
    library, pin = hsm

    def keys(label="sealmesh"):
        where = TokenKey(module=library, token="mesh", label=label, pin_file=pin)
        return TokenKeys(where, entropy=os.urandom)

    keys("another").fresh("ProductKey")  # makes the other secret
    return World(here=keys, updated=keys, elsewhere=lambda: keys("another"), modes=("ProductKey",))


@pytest.fixture(params=["platform", "gramine", "snp", "tpm", "token"])
def world(request, tmp_path):
    match request.param:
        case "platform":
            return platform_world(tmp_path)
        case "gramine":
            return gramine_world(tmp_path)
        case "snp":
            return snp_world(tmp_path)
        case "tpm":
            return tpm_world(request.getfixturevalue("tpm"))
    return token_world(request.getfixturevalue("hsm"))


def given(keys, mode, recipe):
    """Return the key, or None where it is refused; any other exception is a fault."""
    try:
        return keys.again(mode, recipe)
    except SealmeshError:
        return None


def test_it_offers_the_modes_it_can_keep(world):
    assert world.here().modes == world.modes
    assert world.here().kind.isalnum()
    assert world.here().describe()


def test_the_same_software_on_the_same_platform_gets_the_key_again(world):
    for mode in world.modes:
        fresh = world.here().fresh(mode)
        assert world.here().again(mode, fresh.recipe) == fresh.key
        assert world.here().current(mode, fresh.recipe)


def test_a_key_is_long_enough_and_not_in_its_recipe(world):
    for mode in world.modes:
        fresh = world.here().fresh(mode)
        assert len(fresh.key) >= 16
        assert any(fresh.key)
        assert len(fresh.recipe) <= 4096
        assert fresh.key not in fresh.recipe


def test_another_platform_does_not_get_the_key(world):
    for mode in world.modes:
        fresh = world.here().fresh(mode)
        assert given(world.elsewhere(), mode, fresh.recipe) != fresh.key


def test_an_update_gets_the_key_by_product_and_not_by_measurement(world):
    fresh = {mode: world.here().fresh(mode) for mode in world.modes}
    world.before_update()
    for mode, key in fresh.items():
        found = given(world.updated(), mode, key.recipe)
        assert (found == key.key) == (mode == "ProductKey")


def test_both_modes_have_different_keys(world):
    keys = [world.here().fresh(mode).key for mode in world.modes]
    assert len(set(keys)) == len(keys)


def test_a_mode_that_is_not_offered_is_refused(world):
    offered = world.here().fresh(world.modes[0])
    for mode in {"ProductKey", "UniqueKey", "Disabled", ""} - set(world.modes):
        with pytest.raises(SealmeshError):
            world.here().again(mode, offered.recipe)


def test_a_recipe_that_was_not_written_here_gives_no_key(world):
    for mode in world.modes:
        fresh = world.here().fresh(mode)
        spoiled = {b"x" * 5, b"\xff" * 70, fresh.recipe + b"\0", fresh.recipe[:-1], b"\0" + fresh.recipe}
        for recipe in spoiled - {fresh.recipe}:
            assert given(world.here(), mode, recipe) != fresh.key


def test_threads_do_not_disturb_each_other(world):
    keys, mode = world.here(), world.modes[0]
    fresh = keys.fresh(mode)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(keys.again(mode, fresh.recipe))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [fresh.key] * 4


def test_a_forked_process_gets_the_key_too(world):
    keys, mode = world.here(), world.modes[0]
    fresh = keys.fresh(mode)
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(0 if world.here().again(mode, fresh.recipe) == fresh.key else 1)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert keys.again(mode, fresh.recipe) == fresh.key


# -- the whole way: a state sealed by it -------------------------------------------------------------


def seat(directory, keys):
    return SealedSeat(directory, sealer=Sealer([keys], entropy=os.urandom), entropy=os.urandom)


FIRST = Change(puts={"secret/oven": b"hot"})


def founded(directory, keys, mode):
    place = seat(directory, keys)
    place.found(FIRST, SealPlan(mode=SealMode(mode)))
    place.close()


def test_a_state_is_found_again_here_and_waits_for_recovery_elsewhere(world, tmp_path):
    for mode in world.modes:
        directory = tmp_path / mode
        founded(directory, world.here(), mode)
        again = seat(directory, world.here())
        assert [record.value for record in again.store().load().records] == [b"hot"]
        again.close()
        assert seat(directory, world.elsewhere()).needs_recovery()


def test_an_update_of_the_coordinator_keeps_the_state_by_product_and_not_by_measurement(world, tmp_path):
    for mode in world.modes:
        founded(tmp_path / mode, world.here(), mode)
    world.before_update()
    for mode in world.modes:
        updated = seat(tmp_path / mode, world.updated())
        assert updated.needs_recovery() == (mode == "UniqueKey")
        updated.close()


def test_a_manifest_with_a_mode_that_cannot_be_kept_is_refused_and_nothing_is_written(world, tmp_path):
    for mode in {"ProductKey", "UniqueKey"} - set(world.modes):
        place = seat(tmp_path / "seal", world.here())
        with pytest.raises(SealModeRefused):
            place.found(FIRST, SealPlan(mode=SealMode(mode)))
        assert place.store() is None
        assert not (tmp_path / "seal").exists()


def test_without_a_mode_the_first_that_can_be_kept_is_taken(world, tmp_path):
    founded(tmp_path / "seal", world.here(), "")
    again = seat(tmp_path / "seal", world.here())
    assert again.store() is not None
    again.close()


# -- what is special to one ---------------------------------------------------------------------------


def test_after_an_update_the_version_before_is_locked_out(tmp_path):
    world = platform_world(tmp_path)
    founded(tmp_path / "seal", world.here(), "ProductKey")
    updated = seat(tmp_path / "seal", world.updated())
    assert updated.store() is not None
    updated.close()
    downgraded = seat(tmp_path / "seal", world.here())
    assert downgraded.needs_recovery()
    assert "higher security version" in downgraded.recovery().reason


def test_a_coordinator_that_moves_to_another_sealer_reads_the_old_seal_and_writes_the_new(tmp_path):
    old, new = platform_world(tmp_path).here(), gramine_world(tmp_path).here()
    founded(tmp_path / "seal", old, "ProductKey")
    moving = SealedSeat(tmp_path / "seal", sealer=Sealer([new, old], entropy=os.urandom), entropy=os.urandom)
    assert moving.store() is not None
    moving.close()
    moved = seat(tmp_path / "seal", new)
    assert moved.store() is not None
    moved.close()
    assert seat(tmp_path / "seal", old).needs_recovery()


def test_a_move_to_a_sealer_that_cannot_keep_the_mode_is_refused_and_the_old_seal_stays(tmp_path):
    old, new = platform_world(tmp_path).here(), snp_world(tmp_path).here()
    founded(tmp_path / "seal", old, "ProductKey")
    moving = SealedSeat(tmp_path / "seal", sealer=Sealer([new, old], entropy=os.urandom), entropy=os.urandom)
    with pytest.raises(SealModeRefused):
        moving.store()
    moving.close()
    stayed = seat(tmp_path / "seal", old)
    assert stayed.store() is not None
    stayed.close()


@pytest.mark.parametrize("content", [None, b"", b"short", bytes(16), b"k" * 17])
def test_gramine_without_a_key_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "_sgx_mrsigner").write_bytes(content)
    with pytest.raises(SealerError):
        GramineKeys(tmp_path).fresh("ProductKey")


def test_the_snp_structures_are_as_large_as_the_kernel_s():
    from sealmesh.adapters.sealer.snp import DerivedKeyRequest, DerivedKeyResponse
    from sealmesh.adapters.sev_guest import GuestRequest

    sizes = [ctypes.sizeof(kind) for kind in (GuestRequest, DerivedKeyRequest, DerivedKeyResponse)]
    assert sizes == [32, 32, 64]


def test_an_snp_guest_gets_no_key_of_a_lower_privilege_level(tmp_path):
    (tmp_path / "device").touch()
    with pytest.raises(SealerError) as caught:
        SnpKeys(tmp_path / "device", vmpl=1, ioctl=SnpFirmware(vmpl=2)).fresh("UniqueKey")
    assert "firmware error 0x16" in caught.value.found
    assert SnpKeys(tmp_path / "device", vmpl=2, ioctl=SnpFirmware(vmpl=2)).fresh("UniqueKey").key


def test_a_machine_without_the_snp_device_is_told_so(tmp_path):
    with pytest.raises(SealerError) as caught:
        SnpKeys(Path("/nowhere/sev-guest")).fresh("UniqueKey")
    assert "/nowhere/sev-guest: No such file or directory" in caught.value.found


def test_a_tpm_that_is_not_there_is_a_refusal(tpm):
    keys = TpmKeys(Tpm(f"swtpm:path={tpm.socket}.none"), pcrs="sha256:0", entropy=os.urandom)
    with pytest.raises(TpmError):
        keys.fresh("UniqueKey")


def test_a_tpm_survives_many_refusals(tpm):
    """Each would leave a handle behind, of which a TPM has three."""
    keys = tpm_world(tpm).here()
    fresh = keys.fresh("UniqueKey")
    tpm.extend(16)
    for _ in range(10):
        with pytest.raises(TpmError):
            keys.again("UniqueKey", fresh.recipe)
    after = keys.fresh("UniqueKey")
    assert keys.again("UniqueKey", after.recipe) == after.key


def test_a_wrong_pin_is_a_refusal(hsm, tmp_path):
    library, _ = hsm
    (tmp_path / "pin").write_text("0000")
    where = TokenKey(module=library, token="mesh", label="sealmesh", pin_file=tmp_path / "pin")
    with pytest.raises(TokenError) as caught:
        TokenKeys(where, entropy=os.urandom).fresh("ProductKey")
    assert "PinIncorrect" in caught.value.found
    assert "0000" not in str(caught.value)


def test_a_wrong_pin_is_tried_once_because_tokens_lock_themselves(hsm, tmp_path):
    library, _ = hsm
    (tmp_path / "pin").write_text("1111")
    where = TokenKey(module=library, token="mesh", label="sealmesh", pin_file=tmp_path / "pin")
    for reason in ("PIN is wrong", "not tried again", "not tried again"):
        with pytest.raises(TokenError, match=reason):
            TokenKeys(where, entropy=os.urandom).fresh("ProductKey")
    (tmp_path / "pin").write_text("5678")
    assert TokenKeys(where, entropy=os.urandom).fresh("ProductKey").key


def test_a_token_without_the_secret_gives_no_key_and_makes_none(hsm):
    import pkcs11

    library, pin = hsm
    keys = TokenKeys(
        TokenKey(module=library, token="mesh", label="nobody's", pin_file=pin), entropy=os.urandom
    )
    with pytest.raises(TokenError):
        keys.again("ProductKey", bytes(32))
    with pkcs11.lib(str(library)).get_token(token_label="mesh").open(user_pin="5678") as session:
        assert not list(session.get_objects({pkcs11.Attribute.LABEL: "nobody's"}))


def test_the_token_s_secret_cannot_be_taken_out(hsm):
    import pkcs11

    library, _ = hsm
    token_world(hsm).here().fresh("ProductKey")
    with pkcs11.lib(str(library)).get_token(token_label="mesh").open(user_pin="5678") as session:
        secret = session.get_key(label="sealmesh")
        assert not secret[pkcs11.Attribute.EXTRACTABLE]
        with pytest.raises(pkcs11.exceptions.AttributeSensitive):
            secret[pkcs11.Attribute.VALUE]
