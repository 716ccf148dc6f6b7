"""TLS tags: which connections of a Marble are wrapped in TLS."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A listening port. With `cert` a secret's certificate is shown and no client certificate asked for."""

    port: str
    cert: str = ""
    disable_client_auth: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """An address that is dialled."""

    addr: str
    port: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsTag:
    """Connections that Marbles with this tag have (COMPAT section 8, `TLS`)."""

    incoming: tuple[Incoming, ...] = ()
    outgoing: tuple[Outgoing, ...] = ()
