"""Secret sharing over GF(2**8) (Shamir, 1979), on whole byte strings at once.

The field is that of AES, x**8 + x**4 + x**3 + x + 1. A string is a packed integer and is multiplied byte by
byte in parallel, so there is no table that a secret byte would index.
"""

from collections.abc import Callable, Mapping
from typing import Final

#: x coordinates are one byte and 0 is the secret's.
MAX_SHARES: Final = 255
_REDUCTION: Final = 0x1B


def split(secret: bytes, *, shares: int, threshold: int, entropy: Callable[[int], bytes]) -> dict[int, bytes]:
    """Return `shares` points, by x from 1, of which any `threshold` give back `secret` and fewer nothing."""
    if not 2 <= threshold <= shares <= MAX_SHARES:
        raise ValueError("threshold and number of shares do not fit")
    size = len(secret)
    coefficients = [secret, *(entropy(size) for _ in range(threshold - 1))]
    packed = [int.from_bytes(item, "big") for item in coefficients]
    return {x: _value_at(x, packed, size).to_bytes(size, "big") for x in range(1, shares + 1)}


def combine(points: Mapping[int, bytes]) -> bytes:
    """Return the secret on the polynomial through `points`; garbage if they are too few or one is wrong."""
    sizes = {len(y) for y in points.values()}
    if len(sizes) != 1 or not all(1 <= x <= MAX_SHARES for x in points):
        raise ValueError("points of different lengths, or with impossible x")
    size = sizes.pop()
    total = 0
    for x, y in points.items():
        weight = 1
        for other in points:
            if other != x:
                weight = _multiply(weight, _multiply(other, _inverse(other ^ x)))
        total ^= _scale(int.from_bytes(y, "big"), weight, size)
    return total.to_bytes(size, "big")


def _value_at(x: int, coefficients: list[int], size: int) -> int:
    value = 0
    for coefficient in reversed(coefficients):
        value = _scale(value, x, size) ^ coefficient
    return value


def _scale(vector: int, factor: int, size: int) -> int:
    low = int.from_bytes(b"\x7f" * size, "big")
    ones = int.from_bytes(b"\x01" * size, "big")
    product = 0
    for bit in range(8):
        product ^= vector * (factor >> bit & 1)
        vector = ((vector & low) << 1) ^ ((vector >> 7 & ones) * _REDUCTION)
    return product


def _multiply(left: int, right: int) -> int:
    return _scale(left, right, 1)


def _inverse(value: int) -> int:
    # value**254 is the inverse, because the group has 255 elements.
    result, power = 1, value
    for bit in range(8):
        if 254 >> bit & 1:
            result = _multiply(result, power)
        power = _multiply(power, power)
    return result
