"""What goes wrong between a peer and our servers, before the Coordinator is asked."""

from sealmesh.errors.base import Kind, SealmeshError


class TransportError(SealmeshError):
    """Root of this area."""

    code = "transport"


class BodyRefused(TransportError):
    """The request's body does not have the form of its route or method."""

    code = "bad-body"
    remedy = "Send what docs/reference/openapi.json describes; bytes are base64, padded."


class QueryRefused(TransportError):
    """A parameter of the query is missing or does not have its form."""

    code = "bad-query"
    remedy = "See docs/reference/openapi.json for the parameters of the route."


class MessageTooLarge(TransportError):
    """A request is larger than this server takes."""

    code = "message-too-large"
    kind = Kind.EXHAUSTED
    remedy = "Send less at once."


class Overloaded(TransportError):
    """More requests are waiting than this server takes at once."""

    code = "overloaded"
    kind = Kind.UNAVAILABLE
    remedy = "Try again in a moment."


class PeerWithoutCertificate(TransportError):
    """The connection shows no client certificate."""

    code = "no-client-certificate"
    kind = Kind.UNAUTHENTICATED
    remedy = "Connect with a client certificate; before the activation any self-signed one will do."


class EndpointGone(TransportError):
    """MarbleRun once had this endpoint."""

    code = "endpoint-gone"
    kind = Kind.NOT_FOUND
    remedy = "Use the route that took its place."


class TlsIdentityRefused(TransportError):
    """Certificate and key for a server do not fit each other, or the TLS library refuses them."""

    code = "tls-identity"
    kind = Kind.CONFIGURATION
    remedy = "Restore the sealed state from a copy; its certificates and keys do not belong together."
