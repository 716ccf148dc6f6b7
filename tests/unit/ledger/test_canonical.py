import pytest

from sealmesh.errors.ledger import StatementError
from sealmesh.ledger.canonical import canonical_json


def test_the_example_of_rfc_8785_for_sorting_comes_out_in_its_order() -> None:
    # RFC 8785, section 3.2.3.
    members = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    order = ["Carriage", "One", "Control", "Latin", "Euro", "Emoji", "Hebrew"]
    text = canonical_json(members).decode()
    assert [text.index(word) for word in order] == sorted(text.index(word) for word in order)


def test_strings_are_escaped_as_rfc_8785_says() -> None:
    # RFC 8785, section 3.2.2.2.
    assert canonical_json('\u20ac$\u000f\nA\'B"\\\\"/') == b'"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'


def test_values_keep_their_kind() -> None:
    assert canonical_json({"b": [True, None, 0, -5], "a": {}}) == b'{"a":{},"b":[true,null,0,-5]}'


@pytest.mark.parametrize("value", [1.5, 2**53, -(2**53), "\ud800", {"\ud800": 1}, b"bytes"])
def test_what_has_no_canonical_form_is_refused(value) -> None:
    with pytest.raises(StatementError):
        canonical_json(value)
