"""Giving a Coordinator its state back (COMPAT section 11)."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import load_der_public_key

from sealmesh.client.answers import bytes_member, data_of, member
from sealmesh.client.exchange import V2, Exchange, b64, get, post
from sealmesh.errors.client import AnswerError
from sealmesh.pki.reading import UNREADABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """How many recovery secrets are still missing; 0 when the Coordinator runs again."""

    remaining: int
    message: str


def recover(secret: bytes, signature: bytes = b"") -> Exchange[Recovery]:
    """Give one recovery secret, plain or encrypted to the recovery key, with its owner's signature.

    Args:
        secret: 16, 32 or 33 bytes plain; any other length is taken as encrypted (`sealmesh.client.share`).
        signature: RSA PKCS #1 v1.5, SHA-256, over the *plain* secret, by a recovery key of the manifest.
    """
    members = {"recoverySecret": b64(secret), "recoverySecretSignature": b64(signature)}
    request = post(f"{V2}/recover", members)
    found = data_of(request, (yield request))
    return Recovery(remaining=member(found, "remaining", int), message=str(found.get("message") or ""))


def read_recovery_key() -> Exchange[bytes]:
    """Return the Coordinator's ephemeral RSA key as SubjectPublicKeyInfo DER; only in recovery."""
    request = get(f"{V2}/recover/public-key")
    der = bytes_member(data_of(request, (yield request)), "ephemeralPublicKey")
    try:
        load_der_public_key(der)
    except UNREADABLE as error:
        raise AnswerError("the Coordinator's recovery key cannot be read") from error
    return der
