"""Relaxations are named one by one, and a wrong name is an error."""

import pytest

from sealmesh.coordinator.relaxation import Relaxation, parse_relaxations
from sealmesh.errors.configuration import UnknownRelaxation


def test_nothing_named_relaxes_nothing():
    assert parse_relaxations([]) == frozenset()
    assert parse_relaxations(["", " "]) == frozenset()


def test_marblerun_stands_for_all_of_them():
    assert parse_relaxations(["marblerun"]) == frozenset(Relaxation)


def test_each_can_be_named_alone():
    for relaxation in Relaxation:
        assert parse_relaxations([f" {relaxation.value} "]) == {relaxation}


def test_an_unknown_name_is_refused_with_the_nearest_one():
    with pytest.raises(UnknownRelaxation) as refused:
        parse_relaxations(["insecure-empty-quote"])
    assert "insecure-empty-quotes" in refused.value.remedy


def test_a_name_like_nothing_lists_all():
    with pytest.raises(UnknownRelaxation) as refused:
        parse_relaxations(["xyzzy"])
    assert "marblerun" in refused.value.wanted
    assert not refused.value.remedy
