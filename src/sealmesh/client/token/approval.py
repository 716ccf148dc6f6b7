"""An approver's key in a token."""

from hashlib import new as new_hash

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from sealmesh.client.token.place import Place
from sealmesh.client.token.token import Token
from sealmesh.coordinator.approvals.signature import curve_hash
from sealmesh.errors.client import TokenError


class TokenApprovalKey:
    """An ECDSA or RSA key that signs approvals and never leaves its token.

    Attributes:
        public: SubjectPublicKeyInfo, DER, of the public key that stands beside it.
    """

    def __init__(self, token: Token, place: Place) -> None:
        self._key = token.key(place)
        try:
            self._public = load_der_public_key(token.public_key(place))
        except ValueError as error:
            raise TokenError("the token's public key cannot be read", found=place) from error
        self.public = self._public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`, made in the token."""
        name = "sha256"
        if isinstance(self._public, ec.EllipticCurvePublicKey):
            name = curve_hash(self._public.curve).name
        return self._key.sign_digest(new_hash(name, message).digest(), name)
