"""The rules beside a state are kept with what its shares are recognised by."""

from dataclasses import replace

import pytest

from sealmesh.errors.sealing import SealingError
from sealmesh.sealing import NO_RECOVERY, RecoveryInfo, split_recovery_key

INFO = split_recovery_key(b"k" * 32, owners=3, threshold=2, entropy=lambda count: b"e" * count).info


@pytest.mark.parametrize("info", [INFO, NO_RECOVERY])
@pytest.mark.parametrize("guard", [b"", b"{}", b"guard 1\n"])
def test_recovery_data_is_read_with_its_guard(info, guard):
    guarded = replace(info, guard=guard)
    assert RecoveryInfo.from_bytes(guarded.to_bytes()) == guarded


def test_without_a_guard_nothing_is_added():
    assert replace(INFO, guard=b"").to_bytes() == INFO.to_bytes()


@pytest.mark.parametrize("more", [b"x", b"guard 1\n", b"guard 2\n{}"])
def test_anything_else_behind_the_digests_is_damage(more):
    with pytest.raises(SealingError):
        RecoveryInfo.from_bytes(INFO.to_bytes() + more)
