"""Forms of a Marble's UUID (COMPAT section 5)."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealmesh.coordinator.marble_uuid import parse_marble_uuid
from sealmesh.errors.coordinator import BadUuid

U = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"


@pytest.mark.parametrize(
    "text", [U, U.upper(), U.replace("-", ""), "{" + U + "}", "urn:uuid:" + U, "URN:UUID:" + U.upper()]
)
def test_all_forms_mean_the_same_marble(text):
    assert parse_marble_uuid(text) == UUID(U)


def test_the_nil_uuid_is_a_uuid():
    assert parse_marble_uuid(str(UUID(int=0))) == UUID(int=0)


@pytest.mark.parametrize(
    "text",
    ["", "x", U + " ", " " + U, U + "\n", "{" + U, "uuid:" + U, U[:-1], U.replace("-", "", 1), "٦" + U[1:],
     "urn:uuid:" + U.replace("-", ""), "{" + U.replace("-", "") + "}", "--" + U],
)  # fmt: skip
def test_other_forms_are_refused(text):
    with pytest.raises(BadUuid):
        parse_marble_uuid(text)


@given(st.text(max_size=60))
def test_any_text_is_a_uuid_or_refused(text):
    try:
        assert isinstance(parse_marble_uuid(text), UUID)
    except BadUuid:
        pass
