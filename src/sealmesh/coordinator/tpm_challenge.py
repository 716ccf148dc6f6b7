"""Challenges by which a TPM shows that an attestation key (AK) is its own, without a memory of them.

Plan (TCG TPM 2.0 Library, part 1, section 24, "Credential Protection"):

 1. The token is version, expiry, a nonce, and the digest of what the challenge is for: the certificate of the
    connection, the EK certificate, and the AK's Name.
 2. The secret is HMAC-SHA-256 over the token, with a key derived from the mesh's root key, which every worker
    has.
 3. The secret goes out encrypted to the EK for that Name (`make_credential`). The token goes out in plain.
 4. An answer is right when its secret is that of its token. So the secret is also the token's signature:
    nobody gets the secret of a token that was not issued, and nobody but the TPM that of one that was.

A token may be used again until it expires, over the same connection's certificate only; so may Evidence.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import digest

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sealmesh.attestation.certification import PublicKey
from sealmesh.attestation.tpm import ActivatedKey, EndorsedKey, make_credential
from sealmesh.coordinator.api import ChallengeAnswer, ChallengeReply
from sealmesh.coordinator.ports import Entropy
from sealmesh.errors.attestation import VerificationError
from sealmesh.pki import Authority

LIFETIME = timedelta(minutes=2)
_VERSION = b"\1"
_NONCE_BYTES, _TIME_BYTES, _DIGEST_BYTES = 16, 8, 32
TOKEN_BYTES = len(_VERSION) + _TIME_BYTES + _NONCE_BYTES + _DIGEST_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Endorsement:
    """An AK, and the EK that it comes with: its certificate was verified."""

    endorsed: EndorsedKey
    endorsement_key: PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenger:
    """Poses challenges over one connection, and knows their secrets.

    Attributes:
        key: The mesh's, 32 bytes; never leaves the Coordinator.
        client_cert: The DER that the connection shows.
    """

    key: bytes = field(repr=False)
    client_cert: bytes

    @classmethod
    def of(cls, authority: Authority, client_cert: bytes) -> "Challenger":
        """Return the challenger of a mesh."""
        root = authority.root_key
        number = root.private_numbers().private_value.to_bytes((root.key_size + 7) // 8, "big")
        derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"sealmesh tpm challenge key v1")
        return cls(key=derivation.derive(number), client_cert=client_cert)

    def pose(self, endorsement: Endorsement, *, now: datetime, entropy: Entropy) -> ChallengeReply:
        """Return a challenge for the TPM of this EK and its AK."""
        endorsed = endorsement.endorsed
        expiry = int((now + LIFETIME).timestamp()).to_bytes(_TIME_BYTES, "big")
        token = _VERSION + expiry + entropy(_NONCE_BYTES) + self._subject(endorsed)
        credential = make_credential(
            endorsement.endorsement_key, endorsed.public_area.name, self._secret(token), entropy=entropy
        )
        return ChallengeReply(
            credential_blob=credential.blob, encrypted_secret=credential.encrypted_seed, token=token
        )

    def activated(self, endorsed: EndorsedKey, answer: ChallengeAnswer, now: datetime) -> ActivatedKey:
        """Return the key with the secret that was wanted and the one that came, for `verify`.

        Raises:
            VerificationError: `challenge:format`, `challenge:subject` or `challenge:expired`.
        """
        token = answer.token
        if len(token) != TOKEN_BYTES or not token.startswith(_VERSION):
            raise VerificationError(
                "this is no challenge's token", code="challenge:format", found=f"{len(token)} bytes"
            )
        if token[-_DIGEST_BYTES:] != self._subject(endorsed):
            raise VerificationError(
                "the answered challenge is for another connection, TPM or attestation key",
                code="challenge:subject",
                wanted="a challenge over this connection's certificate, for this EK and this AK",
            )
        expiry = int.from_bytes(token[len(_VERSION) :][:_TIME_BYTES], "big")
        if now.timestamp() > expiry:
            raise VerificationError(
                "the answered challenge has expired",
                code="challenge:expired",
                found=f"{int(now.timestamp()) - expiry} s ago",
                wanted=f"an answer within {LIFETIME.seconds} s",
            )
        return endorsed.activated(challenge=self._secret(token), answer=answer.secret)

    def _subject(self, endorsed: EndorsedKey) -> bytes:
        parts = (self.client_cert, endorsed.certificate, endorsed.public_area.name)
        return sha256(b"".join(sha256(part).digest() for part in parts)).digest()

    def _secret(self, token: bytes) -> bytes:
        return digest(self.key, token, "sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer with who can judge it."""

    challenger: Challenger
    answer: ChallengeAnswer

    @classmethod
    def of(
        cls, answer: ChallengeAnswer | None, client_cert: bytes, authority: Authority
    ) -> "Answered | None":
        """Return an answer that came over a connection with this certificate (DER), if one came."""
        return (
            None if answer is None else cls(challenger=Challenger.of(authority, client_cert), answer=answer)
        )

    def activated(self, endorsed: EndorsedKey, now: datetime) -> ActivatedKey:
        """See `Challenger.activated`."""
        return self.challenger.activated(endorsed, self.answer, now)
