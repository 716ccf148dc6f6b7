"""What can go wrong on the relying party's side of a connection."""

from sealmesh.errors.base import Kind, SealmeshError


class ClientError(SealmeshError):
    """The root of this area."""

    code = "client"


class AddressError(ClientError):
    """Not an address of a Coordinator."""

    code = "address"
    kind = Kind.CONFIGURATION
    remedy = "Write HOST:PORT, for example localhost:4433."


class ConnectionFailed(ClientError):
    """Nobody answered, or the connection broke."""

    code = "connection"
    kind = Kind.UNAVAILABLE
    remedy = "See whether the Coordinator runs and the address is that of its client API."


class PeerError(ClientError):
    """The far end of a TLS connection is not who it must be."""

    code = "peer"
    kind = Kind.DENIED
    remedy = "Do not send anything there. Verify the application again to learn its present identity."


class AnswerError(ClientError):
    """The Coordinator's answer is not one, or is a refusal."""

    code = "coordinator-answer"


class NotServed(AnswerError):
    """The Coordinator does not have this route: it is a MarbleRun Coordinator, or an older sealmesh."""

    code = "coordinator-route"
    kind = Kind.NOT_FOUND
    remedy = "Only sealmesh Coordinators make statements; a MarbleRun Coordinator gives its quote alone."
