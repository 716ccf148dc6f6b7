"""A user whose key is in a token: TLS with the signature made there.

Neither `ssl` nor pyOpenSSL lets a key sign elsewhere, so tlslite-ng speaks TLS 1.3 here. It verifies that
the server holds the key of its certificate; which certificate that must be is checked as everywhere, before
a byte of HTTP is sent.
"""

import http.client
import socket
import warnings
from dataclasses import dataclass
from typing import Any

import anyio.to_thread
import httpx

from sealmesh.client.tls import PeerCheckedContext
from sealmesh.client.token.key import TokenKey
from sealmesh.errors.client import AnswerError, TokenError
from sealmesh.wire.refusals import DETAIL_HEADER

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it looks for `asyncore`, which it can do without
    from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain
    from tlslite.errors import TLSError

TLS_13 = (3, 4)
TIMEOUT_SECONDS = 30.0
MAX_ANSWER_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUser:
    """A certificate (chain, PEM) and its key in a token."""

    chain_pem: bytes
    key: TokenKey

    def transport(self, context: PeerCheckedContext) -> httpx.BaseTransport:
        """Return a transport that shows the certificate.

        Raises:
            TokenError: The certificate cannot be used.
        """
        return _TokenTransport(self, context)

    def async_transport(self, context: PeerCheckedContext) -> httpx.AsyncBaseTransport:
        """Return the same for `httpx.AsyncClient`; each request has its own thread."""
        return _AsyncTokenTransport(_TokenTransport(self, context))


class _TokenTransport(httpx.BaseTransport):
    """One TLS connection for each request: what users do is seldom, and tokens are slow."""

    def __init__(self, user: TokenUser, context: PeerCheckedContext) -> None:
        self._check = context.peer_check
        self._key = user.key
        self._chain = X509CertChain()
        try:
            self._chain.parsePemList(user.chain_pem.decode("ascii"))
        except (ValueError, SyntaxError, TypeError) as error:
            raise TokenError("the user's certificate cannot be used", found=type(error).__name__) from error

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the server was checked before."""
        url, body = request.url, request.read()
        try:
            with socket.create_connection((url.host, url.port or 443), TIMEOUT_SECONDS) as plain:
                secured = self._handshake(plain)
                return _converse(secured, request, body)
        except (OSError, TLSError) as error:
            raise httpx.ConnectError(str(error) or type(error).__name__, request=request) from error
        except http.client.HTTPException as error:
            raise httpx.RemoteProtocolError(type(error).__name__, request=request) from error

    def _handshake(self, plain: socket.socket) -> Any:
        settings = HandshakeSettings()
        settings.minVersion = settings.maxVersion = TLS_13
        # It would compress its certificate for servers that did not ask for that, such as OpenSSL 3.
        settings.certificate_compression_send = settings.certificate_compression_receive = []
        secured = TLSConnection(plain)
        own = self._chain.x509List[0].publicKey
        secured.handshakeClientCert(
            self._chain, _SignsInToken(own, self._key), settings=settings, alpn=[b"http/1.1"]
        )
        self._check(bytes(secured.session.serverCertChain.x509List[0].bytes))
        return secured


class _AsyncTokenTransport(httpx.AsyncBaseTransport):
    def __init__(self, transport: _TokenTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        return await anyio.to_thread.run_sync(self._transport.handle_request, request)


class _SignsInToken:
    """What tlslite takes for a private key: the public one of the certificate, and a token that signs."""

    def __init__(self, public: Any, key: TokenKey) -> None:
        self._public = public
        self._key = key
        self.key_type = public.key_type
        self.curve_name = getattr(public, "curve_name", None)
        self.public_key = getattr(public, "public_key", None)

    def __len__(self) -> int:
        return len(self._public)

    def sign(self, digest: bytes, padding: str | None, hash_name: str, salt_bytes: int | None) -> bytearray:
        """Sign a digest as TLS 1.3 wants it (RFC 8446, section 4.2.3): PSS, or ECDSA."""
        del padding, salt_bytes  # PSS with a salt as long as the digest: TLS 1.3 has no other
        return bytearray(self._key.sign_digest(bytes(digest), hash_name))

    def verify(self, *arguments: Any) -> bool:
        """Check a signature with the certificate's key: was it the right key of the token?"""
        if not self._public.verify(*arguments):
            raise TokenError(
                "the token's key is not the certificate's", found=self._key.place, wanted="its own key"
            )
        return True


def _converse(secured: Any, request: httpx.Request, body: bytes) -> httpx.Response:
    connection = http.client.HTTPConnection(request.url.host, request.url.port)
    connection.sock = secured
    headers = {name: value for name, value in request.headers.items() if name != "connection"}
    headers["connection"] = "close"
    connection.request(request.method, request.url.raw_path.decode("ascii"), body=body, headers=headers)
    answer = connection.getresponse()
    content = answer.read(MAX_ANSWER_BYTES + 1)
    if len(content) > MAX_ANSWER_BYTES:
        raise AnswerError("the answer is too large", wanted=f"at most {MAX_ANSWER_BYTES} bytes")
    kept = {DETAIL_HEADER: answer.headers[DETAIL_HEADER]} if DETAIL_HEADER in answer.headers else {}
    return httpx.Response(answer.status, headers=kept, content=content, request=request)
