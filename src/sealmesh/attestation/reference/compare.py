"""Comparisons of one claim with one Reference Value; nothing wanted means nothing to compare."""

from collections.abc import Iterable, Iterator, Mapping

from sealmesh.errors.attestation import Mismatch

NOTHING = "nothing to compare"


def differ(field: str, found: bytes, wanted: bytes | None) -> Iterator[Mismatch]:
    """Yield a mismatch if bytes are not equal."""
    if wanted is not None and found != wanted:
        yield Mismatch(field=field, found=found.hex(), wanted=wanted.hex())


def not_among(field: str, found: bytes, wanted: Iterable[bytes] | None) -> Iterator[Mismatch]:
    """Yield a mismatch if bytes are none of those listed."""
    if wanted is not None and found not in (listed := sorted(wanted)):
        yield Mismatch(field=field, found=found.hex(), wanted=" or ".join(value.hex() for value in listed))


def unlisted(field: str, found: str, wanted: Iterable[str] | None) -> Iterator[Mismatch]:
    """Yield a mismatch if a text is none of those listed."""
    if wanted is not None and found not in (listed := sorted(wanted)):
        yield Mismatch(field=field, found=found or "none", wanted=" or ".join(listed))


def unequal(field: str, found: int | None, wanted: int | None) -> Iterator[Mismatch]:
    """Yield a mismatch if a number is not the wanted one."""
    if wanted is not None and found != wanted:
        yield Mismatch(field=field, found="none" if found is None else str(found), wanted=str(wanted))


def below(field: str, found: int, least: int | None) -> Iterator[Mismatch]:
    """Yield a mismatch if a version is lower than the lowest that is accepted."""
    if least is not None and found < least:
        yield Mismatch(field=field, found=str(found), wanted=f"at least {least}")


def is_not(field: str, found: bool, wanted: bool | None) -> Iterator[Mismatch]:
    """Yield a mismatch if a truth is not the wanted one."""
    if wanted is not None and found is not wanted:
        yield Mismatch(field=field, found=truth(found), wanted=truth(wanted))


def registers(found: Mapping[int, bytes], wanted: Mapping[int, bytes]) -> Iterator[Mismatch]:
    """Yield a mismatch for each register that is not as wanted, or is not there."""
    for index, value in sorted(wanted.items()):
        if found.get(index) != value:
            yield Mismatch(
                field=f"PCR{index}",
                found=found[index].hex() if index in found else "not quoted",
                wanted=value.hex(),
            )


def empty(wanted: str) -> Mismatch:
    """Return the mismatch of a reference that would accept anything."""
    return Mismatch(field="Reference", found=NOTHING, wanted=wanted)


def truth(value: bool) -> str:
    """Return how the Manifest writes it."""
    return "true" if value else "false"


def require_length(name: str, value: bytes | None, *lengths: int) -> None:
    """Refuse a Reference Value that nothing can equal.

    Raises:
        ValueError: It has another length.
    """
    if value is not None and len(value) not in lengths:
        raise ValueError(f"{name} is {' or '.join(map(str, lengths))} bytes")
