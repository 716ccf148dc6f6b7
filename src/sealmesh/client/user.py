"""Who acts: a user's certificate and key, as the TLS connection shows them.

The Coordinator knows a user by the certificate in the manifest, exactly; it looks at no expiry and no issuer.
"""

import os
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx

from sealmesh.client.tls import PeerCheckedContext
from sealmesh.errors.client import CredentialError


class User(Protocol):
    """How a connection shows who acts, with the peer checked by the given context."""

    def transport(self, context: PeerCheckedContext) -> httpx.BaseTransport: ...

    def async_transport(self, context: PeerCheckedContext) -> httpx.AsyncBaseTransport: ...


class Nobody:
    """No certificate: enough for what everybody may read."""

    def transport(self, context: PeerCheckedContext) -> httpx.BaseTransport:
        """Return a transport without a client certificate."""
        return httpx.HTTPTransport(verify=context, trust_env=False)

    def async_transport(self, context: PeerCheckedContext) -> httpx.AsyncBaseTransport:
        """Return the same for `httpx.AsyncClient`."""
        return httpx.AsyncHTTPTransport(verify=context, trust_env=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCertificate:
    """A certificate (chain) and its key, both PEM, the key not encrypted."""

    chain_pem: bytes
    key_pem: bytes = field(repr=False)

    def transport(self, context: PeerCheckedContext) -> httpx.BaseTransport:
        """Return a transport that shows the certificate.

        Raises:
            CredentialError: Certificate and key cannot be read or do not fit together.
        """
        self._show(context)
        return Nobody().transport(context)

    def async_transport(self, context: PeerCheckedContext) -> httpx.AsyncBaseTransport:
        """Return the same for `httpx.AsyncClient`."""
        self._show(context)
        return Nobody().async_transport(context)

    def _show(self, context: ssl.SSLContext) -> None:
        """`ssl` reads paths only: certificate and key go through anonymous memory, never through a disk."""
        descriptor = os.memfd_create("", os.MFD_CLOEXEC)
        try:
            with os.fdopen(os.dup(descriptor), "wb") as memory:
                memory.write(self.chain_pem.rstrip() + b"\n" + self.key_pem.rstrip() + b"\n")
            context.load_cert_chain(f"/proc/self/fd/{descriptor}", password=_refuse_password)
        except (ssl.SSLError, OSError, ValueError) as error:
            raise CredentialError(
                "the user's certificate and key cannot be used", found=getattr(error, "reason", None) or error
            ) from error
        finally:
            os.close(descriptor)


def read_user(certificate: Path, key: Path) -> UserCertificate:
    """Return the user whose certificate (chain) and key, PEM, are in these files.

    Raises:
        CredentialError: A file cannot be read.
    """
    try:
        return UserCertificate(chain_pem=certificate.read_bytes(), key_pem=key.read_bytes())
    except OSError as error:
        raise CredentialError(
            "the user's certificate or key cannot be read", found=f"{error.filename}: {error.strerror}"
        ) from error


def _refuse_password() -> str:
    raise ValueError("the key is encrypted: decrypt it first")
