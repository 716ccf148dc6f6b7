"""Whose Evidence counts, as the operator writes it.

A comma list of roots: `intel`, `simulated`, `simulated:DIR`, the other vendors' (`VENDORS`), `NAME=SHA256`
for SGX or `FAMILY:NAME=SHA256` (the root certificate's DER, in hex; for `tpm` and `cca` also a bare key's
SubjectPublicKeyInfo).
"""

import re
from pathlib import Path

from sealmesh.adapters.attester.choice import SimulatedPlatform
from sealmesh.attestation import VENDOR_ROOTS as VENDORS
from sealmesh.attestation import Family, TrustRoot

_HEX_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_ROOTED = {"": Family.SGX, **{str(family): family for family in Family if family is not Family.COMPOSITE}}
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


RootChoice = SimulatedPlatform | TrustRoot


def read_roots(text: str) -> tuple[RootChoice, ...]:
    """Read which trust roots count."""
    return tuple(_root(entry.strip()) for entry in text.split(",") if entry.strip())


def _root(entry: str) -> RootChoice:
    if entry in VENDORS:
        return VENDORS[entry]
    platform = _platform(entry)
    if platform is not None:
        return platform
    named, _, digest = entry.partition("=")
    family, _, name = named.rpartition(":")
    if not _NAME.fullmatch(name) or not _HEX_DIGEST.fullmatch(digest) or family not in _ROOTED:
        raise ValueError(f"{', '.join(VENDORS)}, simulated, simulated:DIR or [FAMILY:]NAME=SHA256")
    return TrustRoot(name=name, family=_ROOTED[family], sha256=bytes.fromhex(digest))


def _platform(text: str) -> SimulatedPlatform | None:
    if text == "simulated":
        return SimulatedPlatform()
    directory = text.removeprefix("simulated:")
    return SimulatedPlatform(Path(directory)) if directory != text and directory else None
