"""Which rule covers an address, and what is said where none does."""

from typing import Final

from sealmesh.dataplane.address import IpAddress, Resolver, parse_destination, parse_ip
from sealmesh.dataplane.configuration import Configuration, Exposure, IncomingRule, OutgoingRule


class Rules:
    """The rules of one configuration."""

    def __init__(self, configuration: Configuration, resolver: Resolver) -> None:
        self._options: Final = configuration.options
        self._incoming = {rule.port: rule for rule in configuration.incoming}
        self._outgoing = configuration.outgoing
        self._resolver = resolver
        self._marble_type = configuration.marble_type

    def incoming(self, port: int) -> IncomingRule | None:
        """Return the rule for listening on `port`."""
        return self._incoming.get(port)

    def outgoing(self, host: str, port: int) -> OutgoingRule | None:
        """Return the rule for connecting to `host` (name or number) and `port`.

        A rule by name also covers the addresses the name stands for now.
        """
        candidates = [rule for rule in self._outgoing if rule.port == port]
        wanted = parse_destination(host)
        for rule in candidates:
            if rule.host.lower() == host.lower() or (wanted is not None and parse_ip(rule.host) == wanted):
                return rule
        if wanted is None:
            return None
        return next((rule for rule in candidates if self._stands_for(rule.host, wanted)), None)

    def _stands_for(self, name: str, wanted: object) -> bool:
        return parse_ip(name) is None and wanted in self._resolver.addresses(name)

    def egress_is_open(self, host: str) -> bool:
        """Say whether plaintext to `host` was allowed in the measured package."""
        return _open(self._options.egress, parse_destination(host))

    def ingress_is_open(self, host: str) -> bool:
        """Say whether a plaintext listener on `host`, a number, was allowed in the measured package."""
        return _open(self._options.ingress, parse_ip(host))

    @property
    def everything_passes(self) -> bool:
        """Whether the measured package lets plaintext pass in both directions."""
        return self._options.egress is Exposure.PASS and self._options.ingress is Exposure.PASS

    def why_not_outgoing(self, host: object, port: object) -> str:
        """Explain a refused connection."""
        return (
            f"sealmesh: no rule of Marble {self._marble_type!r} covers a connection to {host}:{port}. Add "
            f'{{"Addr": "{host}", "Port": "{port}"}} to `Outgoing` of one of its TLS tags in the manifest'
        )

    def why_not_incoming(self, port: int) -> str:
        """Explain a refused listener; port 0 was not bound or is whatever is free."""
        if not port:
            return "sealmesh: a listener needs a port that a rule names; this one was not bound to any"
        return (
            f"sealmesh: no rule of Marble {self._marble_type!r} covers listening on port {port}. Add "
            f'{{"Port": "{port}"}} to `Incoming` of one of its TLS tags in the manifest'
        )


def _open(exposure: Exposure, address: IpAddress | None) -> bool:
    """Names are not resolved here: only numbers pass as loopback."""
    inside = address is not None and address.is_loopback
    return exposure is Exposure.PASS or (exposure is Exposure.LOOPBACK and inside)
