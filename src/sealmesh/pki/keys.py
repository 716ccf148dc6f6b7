"""The port through which private keys are made."""

from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa


class KeyFactory(Protocol):
    """Makes private keys; the adapter decides where the entropy comes from and may keep some in stock."""

    def ec(self, bits: int) -> ec.EllipticCurvePrivateKey:
        """Return a fresh key on the NIST curve of that size: 224, 256, 384 or 521."""
        ...

    def rsa(self, bits: int) -> rsa.RSAPrivateKey:
        """Return a fresh RSA key with public exponent 65537."""
        ...

    def ed25519(self) -> ed25519.Ed25519PrivateKey:
        """Return a fresh Ed25519 key."""
        ...
