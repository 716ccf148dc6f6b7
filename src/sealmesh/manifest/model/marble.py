"""Marbles: what one type of service is, gets and may be called."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType

IpAddress = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One file or variable, decoded; still a Go template unless `no_templates`."""

    data: bytes
    no_templates: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Files, environment and arguments of a Marble (COMPAT section 8, `Parameters`)."""

    files: Mapping[str, Parameter] = field(default_factory=lambda: MappingProxyType({}))
    env: Mapping[str, Parameter] = field(default_factory=lambda: MappingProxyType({}))
    argv: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Names that a Marble's certificates carry; nothing else may stand in them.

    Attributes:
        dns: DNS names in lower case, without wildcards, in the manifest's order.
        ips: Addresses, in the manifest's order.
    """

    dns: tuple[str, ...] = ()
    ips: tuple[IpAddress, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateSettings:
    """How a Marble's certificates are issued.

    Attributes:
        lifetime: For both enrolments; None: `DEFAULT_LIFETIME` or `DEFAULT_LEGACY_LIFETIME`.
    """

    lifetime: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Marble:
    """One Marble type (COMPAT section 8, `Marbles`).

    Attributes:
        package: Name of its package.
        max_activations: How often it may be activated in all; 0: no limit.
        tls: Names of its TLS tags.
        disable_secret_binding: Derive private keys without the Marble type (COMPAT section 9).
        names: None: what the request asks for, as far as no other type owns it.
        certificate: None: the defaults.
    """

    package: str
    max_activations: int = 0
    parameters: Parameters = field(default_factory=Parameters)
    tls: tuple[str, ...] = ()
    disable_secret_binding: bool = False
    names: Names | None = None
    certificate: CertificateSettings | None = None
