"""TLS contexts that check who the peer is, inside the handshake, before a byte of the application moves.

Host names say nothing about an attested service: its name is resolved by a hostile network. So no
context here looks at host names or at the machine's certificate store; each recognizes its peer by a
certificate (the Coordinator's root) or by the Marble type in a chain that ends in that root.
"""

import ssl
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.errors import SealmeshError
from sealmesh.errors.client import PeerError
from sealmesh.pki import MarbleId, parse_marble_id
from sealmesh.pki.reading import UNREADABLE

#: Gets the DER of the peer's certificate, raises if it is not the right one.
PeerCheck = Callable[[bytes], None]


class PeerCheckedContext(ssl.SSLContext):
    """A client's TLS 1.3 context that runs `peer_check` on the peer's certificate in every handshake."""

    peer_check: PeerCheck

    def __new__(cls, *_arguments: object) -> "PeerCheckedContext":
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, peer_check: PeerCheck) -> None:
        super().__init__()
        self.peer_check = peer_check
        self.minimum_version = ssl.TLSVersion.TLSv1_3
        self.check_hostname = False
        self.verify_mode = ssl.CERT_NONE
        self.sslsocket_class = _CheckedSocket
        self.sslobject_class = _CheckedObject


class _CheckedSocket(ssl.SSLSocket):
    def do_handshake(self, block: bool = False) -> None:
        super().do_handshake(block)
        try:
            _check(self)
        except BaseException:
            self.close()  # ssl closes it for its own errors only
            raise


class _CheckedObject(ssl.SSLObject):
    def do_handshake(self) -> None:
        super().do_handshake()
        _check(self)


def _check(connection: Any) -> None:
    der = connection.getpeercert(binary_form=True)
    if der is None:
        raise PeerError("the server showed no certificate")
    connection.context.peer_check(der)


def recording_context(record: Callable[[bytes], None]) -> PeerCheckedContext:
    """Return a context that accepts any server and hands its certificate (DER) to `record`.

    Unsafe by itself: the caller must compare what was recorded with what Evidence vouches for before
    it believes or sends anything.
    """
    return PeerCheckedContext(record)


def pinned_context(certificate: x509.Certificate) -> PeerCheckedContext:
    """Return a context for the one server that shows exactly `certificate`, such as the attested root."""
    wanted = certificate.public_bytes(Encoding.DER)

    def check(der: bytes) -> None:
        if der != wanted:
            raise PeerError(
                "the server shows another certificate than the verified one",
                found=_subject(der),
                wanted=certificate.subject.rfc4514_string(),
            )

    return PeerCheckedContext(check)


def marble_context(
    root: x509.Certificate,
    *,
    trust_domain: str,
    marble_type: str,
    intermediates: tuple[x509.Certificate, ...] = (),
) -> ssl.SSLContext:
    """Return a context for Marbles of `marble_type` whose chain ends in the verified `root`.

    Args:
        root: The root certificate of a `VerifiedApplication`.
        trust_domain: Its trust domain, which the SPIFFE ID must name.
        marble_type: The type in the manifest, exactly.
        intermediates: CA certificates known from the statement, for Marbles that send their leaf alone.
    """

    def check(der: bytes) -> None:
        found = spiffe_identity(der)
        if (found.trust_domain, found.marble_type) != (trust_domain, marble_type):
            raise PeerError(
                "the server is another Marble",
                found=f"{found.marble_type} of {found.trust_domain}",
                wanted=f"{marble_type} of {trust_domain}",
            )

    context = PeerCheckedContext(check)
    context.verify_mode = ssl.CERT_REQUIRED
    pem = "".join(item.public_bytes(Encoding.PEM).decode() for item in (root, *intermediates))
    context.load_verify_locations(cadata=pem)
    return context


def spiffe_identity(der: bytes) -> MarbleId:
    """Return the SPIFFE ID of a Marble's certificate.

    Raises:
        PeerError: It has none, several, or one that is no Marble's.
    """
    try:
        names = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        uris = names.value.get_values_for_type(x509.UniformResourceIdentifier)
        if len(uris) != 1:
            raise PeerError(
                "the server's certificate has not exactly one URI", found=", ".join(uris) or "none"
            )
        return parse_marble_id(uris[0])
    except UNREADABLE as error:
        raise PeerError("the server's certificate names no Marble", found=_subject(der)) from error
    except PeerError:
        raise
    except SealmeshError as error:
        raise PeerError("the server's certificate names no Marble", found=error.found) from error


def _subject(der: bytes) -> str:
    try:
        return x509.load_der_x509_certificate(der).subject.rfc4514_string()[:100]
    except UNREADABLE:
        return "a certificate that cannot be read"
