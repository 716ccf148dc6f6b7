"""The whole document."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sealmesh.manifest.model.access import AccessRule
from sealmesh.manifest.model.config import Config
from sealmesh.manifest.model.governance import Governance
from sealmesh.manifest.model.marble import Marble
from sealmesh.manifest.model.package import Infrastructure, Package
from sealmesh.manifest.model.people import RecoveryKey, Role, User
from sealmesh.manifest.model.secret import SecretDefinition
from sealmesh.manifest.model.tls import TlsTag


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A parsed and checked manifest. Mappings are read-only; equality is by meaning, not by bytes.

    Attributes:
        access: None: no rules, any Marble of the mesh may call any (MarbleRun's behaviour). Otherwise
            what no rule allows is refused; an empty tuple refuses everything.
        governance: None: nothing is reserved to several, roles alone decide.
        simulation: Evidence under a simulated trust root is acceptable.
    """

    packages: Mapping[str, Package]
    marbles: Mapping[str, Marble]
    infrastructures: Mapping[str, Infrastructure] = field(default_factory=lambda: MappingProxyType({}))
    secrets: Mapping[str, SecretDefinition] = field(default_factory=lambda: MappingProxyType({}))
    users: Mapping[str, User] = field(default_factory=lambda: MappingProxyType({}))
    roles: Mapping[str, Role] = field(default_factory=lambda: MappingProxyType({}))
    recovery_keys: Mapping[str, RecoveryKey] = field(default_factory=lambda: MappingProxyType({}))
    tls: Mapping[str, TlsTag] = field(default_factory=lambda: MappingProxyType({}))
    config: Config = field(default_factory=Config)
    access: tuple[AccessRule, ...] | None = None
    governance: Governance | None = None
    simulation: bool = False
