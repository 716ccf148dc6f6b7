"""Is the machine one of those that the manifest lists under `Infrastructures`?

Without such a section any machine will do. Otherwise every machine that the Evidence speaks of (a composite
speaks of several) must be as at least one of the infrastructures has it. A property that the Evidence does
not carry is not met: whoever wants it cannot be shown it.
"""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from sealmesh.attestation import Machine, VerifiedEvidence, machines_of
from sealmesh.errors.attestation import Mismatch
from sealmesh.manifest import Infrastructure

NOT_SAID = "not in this Evidence"
ValueT = TypeVar("ValueT", bytes, str)


def infrastructure_mismatches(
    verified: VerifiedEvidence, infrastructures: Mapping[str, Infrastructure]
) -> Iterator[Mismatch]:
    """Yield how the machines of `verified` that fit no infrastructure differ from each."""
    if not infrastructures:
        return
    for machine in machines_of(verified):
        found = {name: list(_differences(machine, wanted)) for name, wanted in infrastructures.items()}
        if all(found.values()):
            for name, differences in found.items():
                for field, value, wanted in differences:
                    yield Mismatch(field=f"Infrastructures.{name}.{field}", found=value, wanted=wanted)


def _differences(machine: Machine, wanted: Infrastructure) -> Iterator[tuple[str, str, str]]:
    """Yield field, found and wanted of each property that is not met."""
    yield from _not_among("RootCA", machine.root, {wanted.root_sha256} if wanted.root_sha256 else None)
    yield from _not_among("CPUSVN", machine.cpu_svn, {wanted.cpu_svn} if wanted.cpu_svn else None)
    yield from _below("PCESVN", machine.pce_svn, wanted.pce_svn)
    yield from _below("QESVN", machine.qe_svn, wanted.qe_svn)
    yield from _not_among("FMSPCs", machine.fmspc, wanted.fmspcs)
    yield from _not_among("PlatformIDs", machine.identity, wanted.platform_ids)
    yield from _not_among("Regions", machine.region, wanted.regions)


def _below(field: str, found: int | None, least: int | None) -> Iterator[tuple[str, str, str]]:
    if least is not None and (found is None or found < least):
        yield field, NOT_SAID if found is None else str(found), f"at least {least}"


def _not_among(
    field: str, found: ValueT | None, wanted: "frozenset[ValueT] | set[ValueT] | None"
) -> Iterator[tuple[str, str, str]]:
    if wanted is not None and found not in wanted:
        yield field, NOT_SAID if found is None else _text(found), " or ".join(map(_text, sorted(wanted)))


def _text(value: bytes | str) -> str:
    return value.hex() if isinstance(value, bytes) else value
