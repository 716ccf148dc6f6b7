"""Why an attestation key (AK) is believed: it is given, or the TPM's manufacturer vouches for it.

    GivenKeys      the verifier knows the key
    EndorsedKey    it comes with an EK certificate, which alone proves nothing: anybody can show one
    ActivatedKey   and the TPM of that certificate answered a challenge for this key

Plan for a manufacturer's word (TCG EK Credential Profile; TPM 2.0 Library, part 1, section 9.5.3.3):

 1. EK certificate: `tpm.endorsement_key`.
 2. The AK is restricted to signing what the TPM made, and cannot leave it (its attributes).
 3. Activation: the TPM gave back the secret that was encrypted to that EK for an AK of this Name.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest

from cryptography.hazmat.primitives.asymmetric import rsa

from sealmesh.attestation.cache import VerificationCache
from sealmesh.attestation.certification import PublicKey, key_fingerprint
from sealmesh.attestation.roots import TrustRoot
from sealmesh.attestation.tpm.endorsement_key import verify_endorsement_key
from sealmesh.attestation.tpm.public_area import PublicArea, parse_public_area
from sealmesh.attestation.validity import ALWAYS, Validity
from sealmesh.errors.attestation import VerificationError

_EK_BITS = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedKey:
    """An attestation key that is believed.

    Attributes:
        key: The key.
        root: Why: a root whose certificate vouches for its TPM, or which is this key.
        validity: How long.
        manufacturer: The EK certificate's issuer, or None for a given key.
    """

    key: PublicKey
    root: TrustRoot
    validity: Validity
    manufacturer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenKeys:
    """Attestation keys that the verifier knows. Which of them count, the trust roots say.

    Each was made known by somebody who saw that it is a restricted key of a real TPM: nothing in a bare
    key shows it.
    """

    keys: tuple[PublicKey, ...]

    def verify(self, claimed: PublicArea | None, roots: Sequence[TrustRoot]) -> VerifiedKey:
        """Return the key that the Evidence means: the one it names, or the only one there is.

        Raises:
            VerificationError: `trust anchor:attestation key`, `profile:attestation key` or
                `root:attestation key`.
        """
        known = {key_fingerprint(key): key for key in self.keys}
        if claimed is None:
            wanted = next(iter(known)) if len(known) == 1 else b""
        else:
            claimed.verify_signs_only_for_its_tpm()
            wanted = key_fingerprint(claimed.key)
        if wanted not in known:
            raise VerificationError(
                "the attestation key is not one of those that are known",
                code="trust anchor:attestation key",
                found=wanted.hex() or "no key is named, and not exactly one is known",
            )
        for root in roots:
            if root.sha256 == wanted:
                return VerifiedKey(key=known[wanted], root=root, validity=ALWAYS)
        raise VerificationError(
            "the attestation key is not an accepted trust root",
            code="root:attestation key",
            found=wanted.hex(),
            wanted=" or ".join(f"{known.name} {known.sha256.hex()}" for known in roots),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EndorsedKey:
    """An attestation key beside an EK certificate. Nothing shows yet that they are in the same TPM.

    Attributes:
        given: The keys that the verifier knows; this one may be among them.
        public_area: The AK.
        certificate: The EK certificate, DER.
        candidates: DER of the manufacturer's CAs, at most `MAX_CANDIDATES`.
    """

    given: GivenKeys
    public_area: PublicArea
    certificate: bytes
    candidates: tuple[bytes, ...]

    def is_given(self, roots: Sequence[TrustRoot]) -> bool:
        """Return whether the key is believed as it is, so that no challenge is needed."""
        fingerprint = key_fingerprint(self.public_area.key)
        return any(root.sha256 == fingerprint for root in roots)

    def verify(self, claimed: PublicArea | None, roots: Sequence[TrustRoot]) -> VerifiedKey:
        """Return the key if it is given.

        Raises:
            VerificationError: `challenge:unanswered`, or as for `GivenKeys`.
        """
        if self.is_given(roots):
            return self.given.verify(claimed, roots)
        raise VerificationError(
            "only an EK certificate speaks for the attestation key, and its TPM answered no challenge",
            code="challenge:unanswered",
            found=f"attestation key {key_fingerprint(self.public_area.key).hex()}",
            wanted="an answered challenge, or this key as a trust root",
        )

    def endorsement_key(
        self, roots: Sequence[TrustRoot], now: datetime, cache: VerificationCache | None = None
    ) -> PublicKey:
        """Return the key that a challenge has to be encrypted to, verified down from the manufacturer's root.

        Raises:
            EndorsementFormatError, VerificationError: As for `verify_endorsement_key`, and
                `profile:attestation key`.
        """
        self.public_area.verify_signs_only_for_its_tpm()
        path = verify_endorsement_key(self.certificate, self.candidates, roots=roots, now=now, cache=cache)
        key = path.leaf.key
        if isinstance(key, rsa.RSAPublicKey) and key.key_size != _EK_BITS:
            raise VerificationError(
                "the EK is not after a default template", code="profile:ek", wanted=f"RSA-{_EK_BITS}"
            )
        return key

    def activated(self, *, challenge: bytes, answer: bytes) -> "ActivatedKey":
        """Return the key with the TPM's answer, for `verify` to look at both."""
        return ActivatedKey(
            public_area=self.public_area.raw,
            certificate=self.certificate,
            candidates=self.candidates,
            challenge=challenge,
            answer=answer,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivatedKey:
    """An attestation key whose TPM answered a challenge made with its EK certificate.

    Attributes:
        public_area: The AK's TPMT_PUBLIC.
        certificate: The EK certificate, DER.
        candidates: DER of the manufacturer's CAs, at most `MAX_CANDIDATES`.
        challenge: The secret in `make_credential`, for this EK and this AK's Name. It must not be older
            than the trust in the key shall be, and must have gone to this one TPM only.
        answer: What the TPM gave back.
    """

    public_area: bytes
    certificate: bytes
    candidates: tuple[bytes, ...]
    challenge: bytes = field(repr=False)
    answer: bytes = field(repr=False)

    def verify(
        self,
        claimed: PublicArea | None,
        roots: Sequence[TrustRoot],
        now: datetime,
        cache: VerificationCache | None = None,
    ) -> VerifiedKey:
        """Verify the key; the plan is the module's.

        Raises:
            EndorsementFormatError: A certificate cannot be read, or there are too many.
            EvidenceFormatError: `format:tpm public area`.
            VerificationError: A certificate's (`ek`, `ek ca <n>`, `ek root`), `profile:attestation key`,
                `binding:credential`, or `trust anchor:attestation key`: the Evidence names another key.
        """
        # 1. EK certificate.
        path = verify_endorsement_key(self.certificate, self.candidates, roots=roots, now=now, cache=cache)
        # 2. The AK.
        area = parse_public_area(self.public_area)
        area.verify_signs_only_for_its_tpm()
        if claimed is not None and claimed.name != area.name:
            raise VerificationError(
                "the Evidence names another key than the one that was activated",
                code="trust anchor:attestation key",
                found=claimed.name.hex(),
                wanted=area.name.hex(),
            )
        # 3. Activation.
        if len(self.challenge) < 16 or not compare_digest(self.challenge, self.answer):
            raise VerificationError(
                "the TPM did not give back the secret for this key", code="binding:credential"
            )
        return VerifiedKey(
            key=area.key,
            root=path.root,
            validity=path.validity,
            manufacturer=path.certificates[1].subject_name,
        )
