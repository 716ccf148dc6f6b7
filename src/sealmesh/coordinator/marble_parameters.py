"""Files, environment and arguments for one Marble: the secrets its templates name, then the templates.

A secret that no template and no TLS tag of this Marble names is neither read nor derived nor made.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from sealmesh.coordinator import places
from sealmesh.coordinator.candidate import Candidate
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.state import State
from sealmesh.errors import SealmeshError
from sealmesh.errors.coordinator import ParametersRefused
from sealmesh.manifest import SecretDefinition
from sealmesh.provisioning import (
    RenderedParameters,
    Secret,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """What one Marble gets besides its certificate."""

    parameters: RenderedParameters
    ttls: bytes | None
