"""Making approvals: offline, with a key in a file or in a PKCS#11 token.

raw = make_approval(Consent(...), read_approval_key("alice.pem"), entropy=os.urandom)
"""

from pathlib import Path
from typing import TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from sealmesh.client.token_uri import PKCS11_SCHEME, parse_token_uri
from sealmesh.coordinator.approvals import Approval, Mesh, SignedApproval, parse_approval
from sealmesh.coordinator.approvals import ManifestEpoch as ManifestEpoch
from sealmesh.coordinator.approvals.making import ApprovalKey, Consent, make_approval
from sealmesh.coordinator.approvals.signature import PSS, curve_hash
from sealmesh.errors.governance import SigningFailed

__all__ = [
    "Approval",
    "ApprovalKey",
    "ApprovalKeyFile",
    "Consent",
    "ManifestEpoch",
    "Mesh",
    "SignedApproval",
    "make_approval",
    "parse_approval",
    "read_approval_key",
]

_PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


class ApprovalKeyFile:
    """An approver's private key from PEM."""

    def __init__(self, private: _PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`."""
        match self._private:
            case ec.EllipticCurvePrivateKey() as key:
                return key.sign(message, ec.ECDSA(curve_hash(key.curve)))
            case ed25519.Ed25519PrivateKey() as key:
                return key.sign(message)
            case rsa.RSAPrivateKey() as key:
                return key.sign(message, PSS, hashes.SHA256())


def read_approval_key(place: str, *, pin: str = "") -> ApprovalKey:
    """Return the key in the file `place` (PEM), or in the token that `place` names (`pkcs11:`, RFC 7512).

    Args:
        place: A path or a URI.
        pin: The token's, where neither the URI nor the environment has it.

    Raises:
        SigningFailed: The file is no private key that can approve.
        TokenError: The URI or the token cannot be used.
    """
    if place.startswith(PKCS11_SCHEME):
        return parse_token_uri(place, pin=pin).approval_key()
    try:
        key = load_pem_private_key(Path(place).read_bytes(), password=None)
    except OSError as error:
        raise SigningFailed("the key cannot be read", found=f"{place}: {error.strerror}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SigningFailed(
            "the key cannot be read", found=place, wanted="a private key as PEM, not encrypted"
        ) from error
    if not isinstance(key, _PrivateKey):
        raise SigningFailed("a key of this kind cannot approve", found=place, wanted="ECDSA, Ed25519 or RSA")
    return ApprovalKeyFile(key)
