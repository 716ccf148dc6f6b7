import pytest

from sealmesh.client import Address, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("localhost", Address("localhost", 4433)),
        ("localhost:1", Address("localhost", 1)),
        ("https://shop.example:4433/", Address("shop.example", 4433)),
        ("[::1]:2", Address("::1", 2)),
        ("[::1]", Address("::1", 4433)),
    ],
)
def test_addresses_are_read(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert parse_address(address.url) == address
