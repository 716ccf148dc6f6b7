"""Package updates: new security versions and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageUpdate:
    """A package-only update (COMPAT section 10).

    Attributes:
        security_versions: Package name to the new lowest `SecurityVersion`; never empty. Whether the
            packages exist and the versions are not lower than now is for the one who applies it.
    """

    security_versions: Mapping[str, int]
