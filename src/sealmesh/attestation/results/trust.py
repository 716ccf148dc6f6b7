"""The trustworthiness vector: what a verifier says about one Attester, in eight numbers.

Source: draft-ietf-rats-ar4si-10, sections "Enumeration Encoding", "Specific Claims" and "Trustworthiness
Tiers".
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum


class Tier(IntEnum):
    """What a value of the vector comes to, and the status of an Attester. The numbers are those of CBOR."""

    NONE = 0
    AFFIRMING = 2
    WARNING = 32
    CONTRAINDICATED = 96

    @property
    def word(self) -> str:
        """The word of JSON: `affirming`."""
        return self.name.lower()


class Aspect(IntEnum):
    """An aspect of trustworthiness. The numbers are the keys of CBOR."""

    INSTANCE_IDENTITY = 0
    CONFIGURATION = 1
    EXECUTABLES = 2
    FILE_SYSTEM = 3
    HARDWARE = 4
    RUNTIME_OPAQUE = 5
    STORAGE_OPAQUE = 6
    SOURCED_DATA = 7

    @property
    def word(self) -> str:
        """The key of JSON: `instance-identity`."""
        return self.name.lower().replace("_", "-")


TrustVector = Mapping[Aspect, int]
"""Values from -128 to 127. An aspect that is left out is one about which nothing is said."""

#: From most to least trust. Nothing said is less than affirmed and more than warned of.
_ORDER = (Tier.AFFIRMING, Tier.NONE, Tier.WARNING, Tier.CONTRAINDICATED)


def trust_text(vector: TrustVector) -> str:
    """Return the vector as one line: `executables=3 hardware=2`."""
    return " ".join(f"{aspect.word}={value}" for aspect, value in sorted(vector.items()))


def read_trust_text(text: str) -> TrustVector:
    """Return what `trust_text` wrote.

    Raises:
        ValueError: Something else did.
    """
    words = {aspect.word: aspect for aspect in Aspect}
    pairs = (item.split("=") for item in text.split())
    try:
        return {words[name]: int(value) for name, value in pairs}
    except KeyError as error:
        raise ValueError(f"no aspect of trustworthiness: {error}") from error


def tier_of(value: int) -> Tier:
    """Return the tier of one value; negative ones are those of no standard."""
    if value in (-1, 0, 1):
        return Tier.NONE
    size = value if value > 0 else -value - 1
    if size < Tier.WARNING:
        return Tier.AFFIRMING
    return Tier.WARNING if size < Tier.CONTRAINDICATED else Tier.CONTRAINDICATED


def trusts_more(one: Tier, other: Tier) -> bool:
    """Tell whether `one` is a tier of higher trust than `other`."""
    return _ORDER.index(one) < _ORDER.index(other)


def worst(tiers: Iterable[Tier]) -> Tier:
    """Return the tier of least trust; NONE of none at all."""
    return max(tiers, key=_ORDER.index, default=Tier.NONE)


def status_of(vector: TrustVector) -> Tier:
    """Return the status that a vector allows: that of its worst value (an unsaid one does not count)."""
    return worst(tier for tier in map(tier_of, vector.values()) if tier is not Tier.NONE)
