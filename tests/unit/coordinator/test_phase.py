"""The phase table: what has a row may be done, everything else is an error and changes nothing."""

import pytest

from sealmesh.coordinator.phase import MOVES, Act, Phase, describe, move
from sealmesh.errors import Kind
from sealmesh.errors.coordinator import PhaseError


def test_phases_are_marblerun_status_codes():
    assert [phase.value for phase in Phase] == [0, 1, 2, 3]


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("act", Act)
def test_an_act_without_a_row_is_refused_and_one_with_a_row_leads_where_it_says(phase, act):
    if (phase, act) in MOVES:
        assert move(phase, act) is MOVES[phase, act]
        return
    with pytest.raises(PhaseError) as refused:
        move(phase, act)
    assert refused.value.kind is Kind.STATE
    assert str(phase.value) in refused.value.found
    assert refused.value.remedy


def test_every_act_is_possible_in_some_phase():
    assert {act for _, act in MOVES} == set(Act)


def test_nothing_is_possible_while_starting():
    assert not [act for phase, act in MOVES if phase is Phase.UNINITIALIZED]


def test_a_manifest_is_set_before_marbles_and_in_recovery_only():
    assert {phase for phase, act in MOVES if act is Act.SET_MANIFEST} == {
        Phase.ACCEPTING_MANIFEST,
        Phase.RECOVERY,
    }


def test_each_phase_has_a_sentence_for_people():
    assert len({describe(phase) for phase in Phase}) == len(Phase)
