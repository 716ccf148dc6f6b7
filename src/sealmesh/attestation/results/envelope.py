"""What JWS and COSE_Sign1 have in common, for whoever verifies."""

from dataclasses import dataclass

MAX_CERTIFICATES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedEnvelope:
    """A signed token taken apart. Nothing is verified.

    Attributes:
        chain: The signer's certificates (DER) as the token names them, his own first; may be empty.
        message: What the signature covers.
        signature: r and s, 48 bytes each if it is one at all.
        claims: The payload.
    """

    chain: tuple[bytes, ...]
    message: bytes
    signature: bytes
    claims: bytes
