"""TLS servers that ask for a client certificate and accept any.

Python's `ssl` cannot do that: it verifies what it asked for. Here pyOpenSSL does TLS over memory, and an
asyncio protocol moves the bytes, the same on asyncio's loop and on uvloop. Whose certificate it is, is the
application's question; TLS only proves that the peer holds its key.
"""

from sealmesh.adapters.tls.context import ContextSource, build_context
from sealmesh.adapters.tls.identity import ClientCertificate, TlsIdentity, TlsProfile
from sealmesh.adapters.tls.protocol import TlsApplication, TlsServerProtocol, TlsTransport
from sealmesh.adapters.tls.session import TlsFailure, TlsSession

__all__ = [
    "ClientCertificate",
    "ContextSource",
    "TlsApplication",
    "TlsFailure",
    "TlsIdentity",
    "TlsProfile",
    "TlsServerProtocol",
    "TlsSession",
    "TlsTransport",
    "build_context",
]
