"""A trustworthiness vector in plain words.

Source: draft-ietf-rats-ar4si-10, section "Specific Claims"; the words are ours.
"""

from collections.abc import Mapping
from types import MappingProxyType

from sealmesh.attestation.results.trust import Aspect, Tier, tier_of

_ABOUT: Mapping[Aspect, str] = MappingProxyType({
    Aspect.INSTANCE_IDENTITY: "which machine it is",
    Aspect.CONFIGURATION: "how it is set up",
    Aspect.EXECUTABLES: "which software runs",
    Aspect.FILE_SYSTEM: "its files",
    Aspect.HARDWARE: "hardware and firmware",
    Aspect.RUNTIME_OPAQUE: "who can read its memory",
    Aspect.STORAGE_OPAQUE: "who can read what it stores",
    Aspect.SOURCED_DATA: "where its data is from",
})  # fmt: skip
_FAILED = "the Evidence is not genuine, or could not be shown to be"
_WORDS: Mapping[tuple[Aspect, int], str] = MappingProxyType({
    (Aspect.INSTANCE_IDENTITY, 2): "a machine that the policy names",
    (Aspect.INSTANCE_IDENTITY, 96): "a machine that must not be trusted",
    (Aspect.INSTANCE_IDENTITY, 97): "not one that the policy names, or not the one at this connection",
    (Aspect.CONFIGURATION, 2): "as the policy wants it",
    (Aspect.CONFIGURATION, 3): "without known vulnerabilities",
    (Aspect.CONFIGURATION, 32): "exposes known vulnerabilities; its owner has to change settings",
    (Aspect.CONFIGURATION, 36): "not all of it that matters can be seen",
    (Aspect.CONFIGURATION, 96): "not as the policy wants it",
    (Aspect.EXECUTABLES, 2): "only approved software was loaded, at the start and since",
    (Aspect.EXECUTABLES, 3): "only approved software was loaded at the start",
    (Aspect.EXECUTABLES, 32): "approved software, some of it with known vulnerabilities",
    (Aspect.EXECUTABLES, 33): "it is not known which: not compared with anything, or open to a debugger",
    (Aspect.EXECUTABLES, 96): "not the software that the policy names",
    (Aspect.FILE_SYSTEM, 2): "only approved files",
    (Aspect.FILE_SYSTEM, 32): "some are not known",
    (Aspect.FILE_SYSTEM, 96): "some must not be there",
    (Aspect.HARDWARE, 2): "genuine and supported",
    (Aspect.HARDWARE, 32): "genuine, but with known vulnerabilities",
    (Aspect.HARDWARE, 96): "known, and not to be trusted",
    (Aspect.HARDWARE, 97): "no hardware that is known: simulated, or of no known maker",
    (Aspect.RUNTIME_OPAQUE, 2): "nobody outside: encrypted, closed to host and hypervisor",
    (Aspect.RUNTIME_OPAQUE, 32): "the hypervisor; closed to other programs and guests",
    (Aspect.RUNTIME_OPAQUE, 96): "the host: simulated, or in debug mode",
    (Aspect.STORAGE_OPAQUE, 2): "nobody: keys of the hardware",
    (Aspect.STORAGE_OPAQUE, 32): "whoever has its keys, which no hardware holds",
    (Aspect.STORAGE_OPAQUE, 96): "anybody: not encrypted",
    (Aspect.SOURCED_DATA, 2): "from Attesters that are affirmed",
    (Aspect.SOURCED_DATA, 32): "from sources that nobody attests",
    (Aspect.SOURCED_DATA, 96): "from sources that must not be trusted",
})  # fmt: skip
_OF_TIER: Mapping[Tier, str] = MappingProxyType({
    Tier.NONE: "nothing is said",
    Tier.AFFIRMING: "affirmed, for a reason of this verifier's",
    Tier.WARNING: "a warning, for a reason of this verifier's",
    Tier.CONTRAINDICATED: "not to be trusted, for a reason of this verifier's",
})  # fmt: skip


def about(aspect: Aspect) -> str:
    """Return what an aspect is about."""
    return _ABOUT[aspect]


def words_for(aspect: Aspect, value: int) -> str:
    """Return what a value says; of one that no list has, what its tier says."""
    if value == 99:
        return _FAILED
    return _WORDS.get((aspect, value)) or _OF_TIER[tier_of(value)]
