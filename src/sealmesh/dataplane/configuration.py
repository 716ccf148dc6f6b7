"""What the agent gives the wrap: credentials, rules, policy, options. One frozen snapshot per generation."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Self

from sealmesh.dataplane.reader import Reader
from sealmesh.policy import AccessPolicy, from_json, to_json

#: Version of the document and of the line protocol between wrap and agent.
PROTOCOL_VERSION: Final = 1


class Exposure(StrEnum):
    """What happens to traffic in one direction that no rule covers. Set in the measured package only."""

    REFUSE = "refuse"
    LOOPBACK = "loopback"
    """Plaintext to and from loopback addresses passes; it may be visible to the host of a library OS."""
    PASS = "pass"  # noqa: S105 - the word of the manifest, not a credential
    """Everything passes in plaintext. A hole by design, for programs that do their own TLS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingRule:
    """A port that the program may listen on, always behind TLS."""

    port: int
    client_auth: bool = True
    """The caller must be a Marble of this mesh. Without it `certificate` is shown to outsiders."""
    certificate: str | None = None
    key: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read `{"port", "client_auth", "certificate", "key"}`.

        Raises:
            DataplaneConfigurationError: A field is missing, unknown or of another type.
        """
        with Reader.of(document, "incoming") as reader:
            return cls(
                port=reader.number("port", 1, 65535),
                client_auth=reader.flag("client_auth"),
                certificate=reader.optional_text("certificate"),
                key=reader.optional_text("key"),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingRule:
    """An address that the program may connect to, always by mutual TLS with a Marble of this mesh."""

    host: str
    port: int

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read `{"host", "port"}`.

        Raises:
            DataplaneConfigurationError: A field is missing, unknown or of another type.
        """
        with Reader.of(document, "outgoing") as reader:
            return cls(host=reader.text("host"), port=reader.number("port", 1, 65535))


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The named switches of the package's `dataplane` section."""

    egress: Exposure = Exposure.REFUSE
    ingress: Exposure = Exposure.REFUSE

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read `{"egress": ..., "ingress": ...}`; both may be missing.

        Raises:
            DataplaneConfigurationError: An unknown key or value.
        """
        with Reader.of(document, "dataplane") as reader:
            return cls(
                egress=reader.choice("egress", Exposure, Exposure.REFUSE),
                ingress=reader.choice("ingress", Exposure, Exposure.REFUSE),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Everything that judges a connection.

    Attributes:
        certificate_chain: PEM, the leaf first.
        key: PEM (PKCS #8) of the leaf's private key.
        marble_root: PEM of the one root that peers must chain to.
        not_after: When the leaf expires, in seconds since 1970.
    """

    trust_domain: str
    spiffe_id: str
    marble_type: str
    certificate_chain: str
    key: str = field(repr=False)
    marble_root: str
    incoming: tuple[IncomingRule, ...]
    outgoing: tuple[OutgoingRule, ...]
    policy: AccessPolicy
    options: Options = Options()
    not_after: int
    generation: int = 0

    def to_document(self) -> dict[str, Any]:
        """Return the JSON form that `parse` reads. It holds the private key."""
        return {
            "trust_domain": self.trust_domain,
            "spiffe_id": self.spiffe_id,
            "marble_type": self.marble_type,
            "certificate_chain": self.certificate_chain,
            "key": self.key,
            "marble_root": self.marble_root,
            "incoming": [
                {
                    "port": rule.port,
                    "client_auth": rule.client_auth,
                    "certificate": rule.certificate,
                    "key": rule.key,
                }
                for rule in self.incoming
            ],
            "outgoing": [{"host": rule.host, "port": rule.port} for rule in self.outgoing],
            "policy": to_json(self.policy).decode(),
            "options": {"egress": self.options.egress.value, "ingress": self.options.ingress.value},
            "not_after": self.not_after,
            "generation": self.generation,
        }

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read what `to_document` wrote.

        Raises:
            DataplaneConfigurationError: A field is missing, unknown or of another type.
            PolicyError: The access policy is malformed.
        """
        with Reader.of(document, "credentials") as reader:
            return cls(
                trust_domain=reader.text("trust_domain"),
                spiffe_id=reader.text("spiffe_id"),
                marble_type=reader.text("marble_type"),
                certificate_chain=reader.text("certificate_chain"),
                key=reader.text("key"),
                marble_root=reader.text("marble_root"),
                incoming=tuple(IncomingRule.parse(item) for item in reader.items("incoming")),
                outgoing=tuple(OutgoingRule.parse(item) for item in reader.items("outgoing")),
                policy=from_json(reader.text("policy").encode()),
                options=Options.parse(reader.value("options")),
                not_after=reader.number("not_after", 0, 2**40),
                generation=reader.number("generation", 0, 2**63),
            )
