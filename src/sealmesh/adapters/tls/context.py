"""OpenSSL contexts for servers: TLS 1.3 only, any client certificate, no resumption.

Invariants:

- A session is never resumed: it would report the certificate of the connection before, and Evidence binds the
  certificate of *this* one. So no cache, and tickets that nobody can redeem.
- No list of acceptable CAs is sent: any certificate may be shown.
- A context is never changed once in use. Rotation makes a new one; connections keep the one they began with.
"""

from collections.abc import Callable, Mapping

from cryptography.hazmat.bindings.openssl.binding import Binding
from OpenSSL import SSL

from sealmesh.adapters.tls.identity import ClientCertificate, TlsIdentity, TlsProfile
from sealmesh.errors.transport import TlsIdentityRefused

#: Key exchange, by preference. The hybrid guards today's secrets against tomorrow's quantum computers. After
#: it any curve for which the peer sent its share already (a tuple, so that no second round trip is asked
#: for); P-256 and P-384 must be there, because Go in FIPS mode refuses X25519.
GROUPS = b"X25519MLKEM768/X25519:P-256:P-384"

_SESSION_CONTEXT = b"sealmesh"


class _NoCommonProtocol(SSL.Error):
    """The peer offers only application protocols that this port does not speak."""


def build_context(identity: TlsIdentity, profile: TlsProfile) -> SSL.Context:
    """Return a server context that shows `identity`. About 0.3 ms.

    Raises:
        TlsIdentityRefused: OpenSSL refuses the certificate or the key, or they do not fit.
    """
    others = {offer: _build(other, profile, {}) for offer, other in identity.for_offers.items()}
    return _build(identity, profile, others)


def _build(identity: TlsIdentity, profile: TlsProfile, others: Mapping[bytes, SSL.Context]) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_3_VERSION)
    context.set_max_proto_version(SSL.TLS1_3_VERSION)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_options(SSL.OP_NO_TICKET)
    context.set_session_id(_SESSION_CONTEXT)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)  # an idle connection keeps no record buffers (34 kB)
    context.set_verify(_verify_mode(profile.client_certificate), _accept_any)
    context.set_alpn_select_callback(_choose_protocol(profile, others))
    _set_groups(context)
    _show(context, identity)
    return context


def _verify_mode(client_certificate: ClientCertificate) -> int:
    required = client_certificate is ClientCertificate.REQUIRED
    return SSL.VERIFY_PEER | (SSL.VERIFY_FAIL_IF_NO_PEER_CERT if required else 0)


def _accept_any(*_verdict: object) -> bool:
    # Not a hole: TLS has proved that the peer holds the key. Who that is, Evidence or the manifest decides.
    return True


def _choose_protocol(
    profile: TlsProfile, others: Mapping[bytes, SSL.Context]
) -> Callable[[SSL.Connection, list[bytes]], bytes]:
    # TLS 1.3 comes here before a certificate is chosen.
    def choose(connection: SSL.Connection, offered: list[bytes]) -> bytes:
        for offer, other in others.items():
            if offer in offered:
                connection.set_context(other)
                break
        served = next((own for sign, own in profile.alpn_for_offers.items() if sign in offered), profile.alpn)
        for protocol in served:
            if protocol in offered:
                return protocol
        raise _NoCommonProtocol("no application protocol in common")  # becomes the alert of RFC 7301, 3.2

    return choose


def _set_groups(context: SSL.Context) -> None:
    # pyOpenSSL can set one curve only; OpenSSL's call for a list has this name since before TLS 1.3. Its
    # default list holds all of GROUPS too, so going without is no weakness.
    library = Binding().lib
    set_list = getattr(library, "SSL_CTX_set1_curves_list", None)
    if set_list is not None and set_list(context._context, GROUPS) != 1:
        library.ERR_clear_error()


def _show(context: SSL.Context, identity: TlsIdentity) -> None:
    if not identity.chain:
        raise TlsIdentityRefused("the server's certificate chain is empty")
    try:
        context.use_certificate(identity.chain[0])
        context.use_privatekey(identity.key)
        context.check_privatekey()
        for certificate in identity.chain[1:]:
            context.add_extra_chain_cert(certificate)
    except SSL.Error as error:
        raise TlsIdentityRefused("the server's certificate and key cannot be used") from error


class ContextSource:
    """The context for the next connection; made anew when the identity has another generation.

    Args:
        identity: Returns the identity in force. Asked for every new connection.
    """

    def __init__(self, identity: Callable[[], TlsIdentity], profile: TlsProfile) -> None:
        self._identity = identity
        self._profile = profile
        self._generation: int | None = None
        self._context: SSL.Context | None = None

    def current(self) -> SSL.Context:
        """Return the context to begin a connection with.

        Raises:
            TlsIdentityRefused: The identity in force cannot be used.
        """
        identity = self._identity()
        if self._context is None or identity.generation != self._generation:
            self._context = build_context(identity, self._profile)
            self._generation = identity.generation
        return self._context
