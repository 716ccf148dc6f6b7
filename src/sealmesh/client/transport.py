"""httpx transports to the Marbles of a verified application.

    application = sealmesh.client.verify("shop.example:4433", policy=policy)
    with httpx.Client(transport=marble_transport(application, "bookstore"), trust_env=False) as shop:
        shop.get("https://shop.example:8443/books")

The peer is recognized by its Marble type in a certificate of the verified mesh, never by host name.
"""

import ssl

import httpx

from sealmesh.client.tls import marble_context
from sealmesh.ledger import VerifiedApplication


def application_context(application: VerifiedApplication, marble_type: str) -> ssl.SSLContext:
    """Return a TLS context for the Marbles of `marble_type` of a verified application.

    For clients other than httpx: it works wherever Python takes an `ssl.SSLContext`.

    Raises:
        ValueError: The application's manifest has no such type.
    """
    if marble_type not in application.manifest.marbles:
        known = ", ".join(sorted(application.manifest.marbles))
        raise ValueError(f"the verified manifest has no Marble type {marble_type!r}, it has {known}")
    return marble_context(
        application.root,
        trust_domain=application.trust_domain,
        marble_type=marble_type,
        intermediates=(application.intermediate,),
    )


def marble_transport(application: VerifiedApplication, marble_type: str) -> httpx.HTTPTransport:
    """Return a transport for `httpx.Client` that reaches Marbles of `marble_type` and nobody else."""
    return httpx.HTTPTransport(verify=application_context(application, marble_type), trust_env=False)


def async_marble_transport(application: VerifiedApplication, marble_type: str) -> httpx.AsyncHTTPTransport:
    """Return the same for `httpx.AsyncClient`."""
    return httpx.AsyncHTTPTransport(verify=application_context(application, marble_type), trust_env=False)
