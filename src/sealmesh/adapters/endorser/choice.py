"""Which endorsement servers to ask, as an operator writes it, and the Endorser for each.

    pcs[:URL]       Intel's Provisioning Certification Service
    pccs:URL        a caching service for it
    kds[:URL]       AMD's Key Distribution Service
    bundle:PATH     files, as in --collateral

URL is `https://HOST[:PORT]`; Intel's may end with `/sgx/certification/v4/` (or v3), all may with `?ca=FILE`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sealmesh.adapters.clock import system_clock
from sealmesh.adapters.endorser.amd import KDS, AmdEndorser
from sealmesh.adapters.endorser.bundle import BundleEndorser
from sealmesh.adapters.endorser.cache_directory import CacheDirectory
from sealmesh.adapters.endorser.family_files import FamilyFilesEndorser
from sealmesh.adapters.endorser.fetch_budget import DEFAULT_LIMIT
from sealmesh.adapters.endorser.fetching import HttpsFetching
from sealmesh.adapters.endorser.intel import IntelEndorser
from sealmesh.adapters.endorser.intel_server import PCS, PCS_ROOT_CRL, IntelServer
from sealmesh.adapters.endorser.item_cache import ItemCache
from sealmesh.coordinator.ports import Endorser

_URL: Final = re.compile(
    r"(?P<base>https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?|https://\[[0-9a-fA-F:]+\](?::[0-9]{1,5})?)"
    r"(?P<path>/[A-Za-z0-9/._-]*)?(?:\?ca=(?P<ca>.+))?"
)
_INTEL_PATH: Final = re.compile(r"/(?:sgx/certification/v(?P<version>[34])/?)?")
_DEFAULTS: Final = {"pcs": PCS, "kds": KDS}
_FORMS: Final = "pcs[:URL], pccs:URL, kds[:URL] with URL = https://HOST[:PORT][?ca=FILE], or bundle:PATH"


class Service(StrEnum):
    """A kind of endorsement server."""

    PCS = "pcs"
    PCCS = "pccs"
    KDS = "kds"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerChoice:
    """One endorsement server.

    Attributes:
        service: Which interface it has.
        base: `https://HOST[:PORT]`.
        version: Of Intel's interface.
        ca: PEM of the CAs that vouch for it; None: the operating system's.
    """

    service: Service
    base: str
    version: int = 4
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class BundleChoice:
    """Files."""

    path: Path


EndorserChoice = ServerChoice | BundleChoice


def read_endorsers(text: str) -> tuple[EndorserChoice, ...]:
    """Read a comma list of them. Raises ValueError saying what it wants."""
    return tuple(_choice(part.strip()) for part in text.split(",") if part.strip())


def open_endorsers(
    choice: EndorserChoice,
    cache: Path | None,
    *,
    limit: int | None = DEFAULT_LIMIT,
    clock: Callable[[], datetime] = system_clock,
) -> list[Endorser]:
    """Return who gives what `choice` has.

    Args:
        choice: Files or a server.
        cache: Where answers are kept, in a directory for each server; None: nowhere.
        limit: Fetches for platforms that were never seen before in an hour, for each family; None: any.
        clock: Aware UTC.

    Raises:
        EndorserError: Files, the CA or the cache directory cannot be used.
    """
    if isinstance(choice, BundleChoice):
        return open_bundle(choice.path)
    place = urlsplit(choice.base).netloc.translate(str.maketrans(":[]", "___"))
    directory = None if cache is None else CacheDirectory(cache / f"{choice.service}-{place}")
    items = ItemCache(HttpsFetching(choice.ca), directory, limit=limit, clock=clock)
    if choice.service is Service.KDS:
        return [AmdEndorser(choice.base, items)]
    root_crl = PCS_ROOT_CRL if choice.base == PCS else None
    server = IntelServer(
        base=choice.base,
        caches=choice.service is Service.PCCS,
        root_crl=root_crl,
        version=choice.version,
    )
    return [IntelEndorser(server, items)]


def open_bundle(path: Path) -> list[Endorser]:
    """Return who gives what stands in a file or directory: DCAP's documents, the other families' files.

    Raises:
        EndorserError: Something cannot be read, or there is nothing.
    """
    others: list[Endorser] = [FamilyFilesEndorser(path)] if FamilyFilesEndorser.has_any(path) else []
    if others and not any(path.glob("*.json")):
        return others
    return [BundleEndorser(path), *others]


def _choice(text: str) -> EndorserChoice:
    kind, _, place = text.partition(":")
    if kind == "bundle" and place:
        return BundleChoice(Path(place))
    if kind not in list(Service) or not (place or kind in _DEFAULTS):
        raise ValueError(_FORMS)
    match = _URL.fullmatch(place or _DEFAULTS[kind])
    path = None if match is None else _INTEL_PATH.fullmatch(match["path"] or "/")
    if match is None or path is None or (kind == "kds" and path["version"]):
        raise ValueError(_FORMS)
    return ServerChoice(
        service=Service(kind),
        base=match["base"],
        version=int(path["version"] or 4),
        ca=Path(match["ca"]) if match["ca"] else None,
    )
