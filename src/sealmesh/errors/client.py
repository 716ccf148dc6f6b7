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
    remedy = "See that the address is that of a Coordinator's client API, and what is between you and it."


class Refused(AnswerError):
    """The Coordinator's rules refuse it."""

    code = "coordinator-refused"
    kind = Kind.DENIED
    remedy = "`sealmesh manifest get` shows the rules that the Coordinator follows."


class Unauthenticated(AnswerError):
    """The Coordinator does not know who asks."""

    code = "coordinator-unauthenticated"
    kind = Kind.UNAUTHENTICATED
    remedy = "Show the certificate of a user in the manifest, exactly as it stands there: --cert and --key."


class FeatureClosed(AnswerError):
    """The manifest does not switch this on, or there is no manifest."""

    code = "coordinator-feature"
    kind = Kind.DENIED
    remedy = "Name the feature in the manifest's Config.FeatureGates."


class NothingThere(AnswerError):
    """There is none of what was asked for, such as no update that waits."""

    code = "coordinator-nothing"
    kind = Kind.NOT_FOUND
    remedy = "See `sealmesh manifest log` for what happened before."


class Overloaded(AnswerError):
    """The Coordinator cannot answer now."""

    code = "coordinator-busy"
    kind = Kind.UNAVAILABLE
    remedy = "Try again in a moment."


class NotServed(AnswerError):
    """The Coordinator does not have this route: it is a MarbleRun Coordinator, or an older sealmesh."""

    code = "coordinator-route"
    kind = Kind.NOT_FOUND
    remedy = "Only sealmesh Coordinators make statements; a MarbleRun Coordinator gives its quote alone."


class CredentialError(ClientError):
    """A user's certificate or key cannot be used."""

    code = "user-certificate"
    kind = Kind.CONFIGURATION
    remedy = "Give PEM files: the certificate that stands in the manifest, and its own key, not encrypted."


class SecretFileError(ClientError):
    """A file with values for secrets cannot be read."""

    code = "secret-file"
    kind = Kind.CONFIGURATION
    remedy = "See `sealmesh secret set --help` for the two forms."


class ShareKeyError(ClientError):
    """A key for recovery secrets cannot be used."""

    code = "recovery-key"
    kind = Kind.CONFIGURATION
    remedy = "Give the RSA key whose public half stands under RecoveryKeys in the manifest, as PEM."


class TokenError(ClientError):
    """A PKCS#11 token, or a key or certificate in it, cannot be used."""

    code = "token"
    kind = Kind.CONFIGURATION
    remedy = (
        "See docs/tasks/operate.md for the file's form; `pkcs11-tool --list-objects` shows what is there."
    )
