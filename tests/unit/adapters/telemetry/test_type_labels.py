"""Marble types as label values."""

from sealmesh.adapters.telemetry.type_labels import MAX_CHARACTERS, OTHERS, TypeLabels


def test_a_type_keeps_its_own_value():
    labels = TypeLabels()
    assert labels.label("baker", admitted=True) == "baker"
    assert labels.label("nope", admitted=False) == "nope"
    assert labels.label("baker", admitted=False) == "baker"


def test_names_that_were_made_up_share_one_value_once_there_are_many():
    labels = TypeLabels(strangers=3)
    found = {labels.label(f"made up {number}", admitted=False) for number in range(1000)}
    assert found == {"made up 0", "made up 1", "made up 2", OTHERS}


def test_made_up_names_do_not_take_the_place_of_admitted_types():
    labels = TypeLabels(strangers=1)
    labels.label("flood", admitted=False)
    assert labels.label("baker", admitted=False) == OTHERS
    assert labels.label("baker", admitted=True) == "baker"
    assert labels.label("baker", admitted=False) == "baker"


def test_admitted_types_are_bounded_too():
    labels = TypeLabels(admitted=2)
    assert [labels.label(name, admitted=True) for name in "abcab"] == ["a", "b", OTHERS, "a", "b"]


def test_a_very_long_name_has_no_value_of_its_own():
    labels = TypeLabels()
    assert labels.label("x" * (MAX_CHARACTERS + 1), admitted=True) == OTHERS
    assert labels.label("x" * MAX_CHARACTERS, admitted=True) == "x" * MAX_CHARACTERS
