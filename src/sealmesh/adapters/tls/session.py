"""One server-side TLS connection over memory: bytes in, bytes out, no I/O."""

from OpenSSL import SSL
from OpenSSL.crypto import FILETYPE_ASN1, X509, dump_certificate

_RECORD = 16384  # plaintext of one record at most (RFC 8446, 5.1)
_CHUNK = 65536


class TlsFailure(Exception):
    """The peer broke the protocol, or was refused by it. An alert may be waiting in `outgoing`."""


class TlsSession:
    """TLS for one accepted connection. After every call `outgoing` has what it wants to send."""

    __slots__ = ("_chain", "_connection", "_established", "_failure")

    def __init__(self, context: SSL.Context) -> None:
        self._connection = SSL.Connection(context, None)
        self._connection.set_accept_state()
        self._established = False
        self._chain: tuple[bytes, ...] | None = None
        self._failure: TlsFailure | None = None

    def feed(self, data: bytes) -> None:
        """Take bytes from the wire."""
        self._connection.bio_write(data)

    def outgoing(self) -> bytes:
        """Return, once, what is to go to the wire."""
        parts: list[bytes] = []
        try:
            while not parts or len(parts[-1]) == _CHUNK:
                parts.append(self._connection.bio_read(_CHUNK))
        except SSL.WantReadError:
            pass
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def handshake(self) -> bool:
        """Go on with the handshake, return whether it is complete.

        Raises:
            TlsFailure: It failed. Nothing but `outgoing` may be called any more.
        """
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return False
        except SSL.Error as error:
            raise TlsFailure(_reason(error)) from error
        self._established = True
        return True

    def read(self) -> bytes | None:
        """Return plaintext, of several records if they are there.

        None when more bytes are needed, empty when the peer is done.

        Raises:
            TlsFailure: A record did not decrypt, or the peer sent an alert; all before it was returned.
        """
        if self._failure is not None:
            raise self._failure
        parts: list[bytes] = []
        size = 0
        try:
            while size < _CHUNK:
                parts.append(self._connection.recv(_RECORD))
                size += len(parts[-1])
        except SSL.WantReadError:
            if not parts:
                return None
        except SSL.ZeroReturnError:
            pass  # once more at the next call
        except SSL.Error as error:
            self._failure = TlsFailure(_reason(error))
            if not parts:
                raise self._failure from error
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def write(self, data: bytes) -> None:
        """Encrypt `data`; memory takes any amount, so whoever calls must heed the wire's backpressure.

        Raises:
            TlsFailure: The connection has failed before.
        """
        try:
            self._connection.sendall(data)
        except SSL.Error as error:
            raise TlsFailure(_reason(error)) from error

    def close_notify(self) -> None:
        """Say that nothing more will be sent. The peer may still send."""
        if self._established:
            try:
                self._connection.shutdown()
            except SSL.Error:
                pass  # the connection failed before: there is nobody to tell

    def peer_chain_der(self) -> tuple[bytes, ...]:
        """Return the certificates that the peer showed, leaf first, unchecked; empty if it showed none."""
        if self._chain is None:
            leaf = self._connection.get_peer_certificate()
            rest = self._connection.get_peer_cert_chain() or []
            chain = [_der(certificate) for certificate in ([leaf] if leaf else []) + rest]
            # OpenSSL leaves the leaf out of a server's view of the chain, or not, by version
            self._chain = tuple(chain[1:] if len(chain) > 1 and chain[0] == chain[1] else chain)
        return self._chain

    def protocol(self) -> bytes:
        """Return the application protocol agreed on; empty if the peer offered none."""
        return self._connection.get_alpn_proto_negotiated()

    def group(self) -> str | None:
        """Return the key exchange group, by OpenSSL's name."""
        return self._connection.get_group_name()


def _der(certificate: X509) -> bytes:
    return dump_certificate(FILETYPE_ASN1, certificate)


def _reason(error: SSL.Error) -> str:
    queue = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return ", ".join(str(entry[-1]) for entry in queue) or str(error) or type(error).__name__
