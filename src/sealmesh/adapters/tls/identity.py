"""What a server shows, and what it asks of its peers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsIdentity:
    """A certificate chain, leaf first, and the leaf's key.

    Attributes:
        generation: Another number whenever chain or key are other ones; the context is then made anew.
        for_offers: What is shown instead to a peer that offers this application protocol. The protocol is
            a sign only: none of these is ever chosen.
    """

    chain: tuple[x509.Certificate, ...]
    key: ec.EllipticCurvePrivateKey
    generation: int
    for_offers: Mapping[bytes, "TlsIdentity"] = field(default_factory=dict)


class ClientCertificate(StrEnum):
    """Whether a peer must show a certificate. Any one will do."""

    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsProfile:
    """The part of the handshake that belongs to the port, not to the certificate (COMPAT section 2).

    Attributes:
        alpn: Protocols served, preferred first. A peer that offers only others is refused by an alert; one
            that offers none is served, as Go's servers do.
        alpn_for_offers: What is served instead to a peer that offers this protocol, which is itself a sign
            only, as in `TlsIdentity.for_offers`.
    """

    alpn: tuple[bytes, ...]
    alpn_for_offers: Mapping[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    client_certificate: ClientCertificate
