"""Private keys from the operating system's entropy.

No stock of keys is kept. Measured: a P-256 key costs 10 microseconds, a P-384 key 43 with AWS-LC and 116
with OpenSSL, 1 to 3 % of a small activation; a stock would move that cost to another thread on the same cores
and hold private keys in memory for longer.
"""

from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sealmesh.pki import p384

_CURVES: Final[dict[int, type[ec.EllipticCurve]]] = {
    224: ec.SECP224R1,
    256: ec.SECP256R1,
    384: ec.SECP384R1,
    521: ec.SECP521R1,
}


class OsKeyFactory:
    """A `KeyFactory` on the generators of OpenSSL and AWS-LC, which the operating system seeds."""

    def ec(self, bits: int) -> ec.EllipticCurvePrivateKey:
        """Return a fresh key on the NIST curve of that size: 224, 256, 384 or 521.

        Raises:
            ValueError: No such curve.
        """
        if bits not in _CURVES:
            raise ValueError(f"no NIST curve of {bits} bits")
        return p384.generate() if bits == 384 else ec.generate_private_key(_CURVES[bits]())

    def rsa(self, bits: int) -> rsa.RSAPrivateKey:
        """Return a fresh RSA key with public exponent 65537. Takes up to seconds for large sizes."""
        return rsa.generate_private_key(public_exponent=65537, key_size=bits)

    def ed25519(self) -> ed25519.Ed25519PrivateKey:
        """Return a fresh Ed25519 key."""
        return ed25519.Ed25519PrivateKey.generate()
