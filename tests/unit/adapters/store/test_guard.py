"""Rules about a state that cannot be read are found beside it, and are those of its last keys."""

from dataclasses import replace

from sealmesh.coordinator.ports import Change, SealPlan
from sealmesh.manifest import SealMode

FIRST = Change(puts={"state/manifest": b"{}"})
PLAN = SealPlan(mode=SealMode.PRODUCT_KEY, guard=b"two of three")


def test_a_state_that_cannot_be_read_shows_its_guard(seat, tmp_path):
    first = seat()
    first.found(FIRST, PLAN)
    first.close()
    (tmp_path / "seal" / "sealed_key").unlink()
    assert seat().recovery().info.guard == b"two of three"


def test_new_keys_come_with_the_new_guard(seat, tmp_path):
    first = seat()
    first.found(FIRST, PLAN)
    first.rekey(Change(puts={"state/manifest": b"[]"}), replace(PLAN, guard=b"three of three"))
    first.close()
    (tmp_path / "seal" / "sealed_key").unlink()
    assert seat().recovery().info.guard == b"three of three"
