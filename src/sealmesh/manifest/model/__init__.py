"""The manifest's model: frozen, typed, without any wire spelling."""

from sealmesh.manifest.model.access import ALL_PORTS, ANYONE, MESH, AccessRule, PortRange
from sealmesh.manifest.model.config import OWN_GATES, Config, FeatureGate, SealMode
from sealmesh.manifest.model.governance import ApprovalRule, Approver, Governance, GovernedAct
from sealmesh.manifest.model.manifest import Manifest
from sealmesh.manifest.model.marble import (
    CertificateSettings,
    IpAddress,
    Marble,
    Names,
    Parameter,
    Parameters,
)
from sealmesh.manifest.model.package import Infrastructure, Package
from sealmesh.manifest.model.people import Action, RecoveryKey, ResourceType, Role, User
from sealmesh.manifest.model.secret import CertificateTemplate, SecretDefinition, SecretType, SubjectTemplate
from sealmesh.manifest.model.tls import Incoming, Outgoing, TlsTag
from sealmesh.manifest.model.update import PackageUpdate

__all__ = [
    "ALL_PORTS",
    "ANYONE",
    "MESH",
    "OWN_GATES",
    "AccessRule",
    "Action",
    "ApprovalRule",
    "Approver",
    "CertificateSettings",
    "CertificateTemplate",
    "Config",
    "FeatureGate",
    "Governance",
    "GovernedAct",
    "Incoming",
    "Infrastructure",
    "IpAddress",
    "Manifest",
    "Marble",
    "Names",
    "Outgoing",
    "Package",
    "PackageUpdate",
    "Parameter",
    "Parameters",
    "PortRange",
    "RecoveryKey",
    "ResourceType",
    "Role",
    "SealMode",
    "SecretDefinition",
    "SecretType",
    "SubjectTemplate",
    "TlsTag",
    "User",
]
