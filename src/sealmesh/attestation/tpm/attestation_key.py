"""Why an attestation key (AK) is believed: it is given, or the TPM's manufacturer vouches for it.

    GivenKeys      the verifier knows the key
    EndorsedKey    it comes with an EK certificate, which alone proves nothing: anybody can show one
    ActivatedKey   and the TPM of that certificate answered a challenge for this key

Plan for a manufacturer's word (TCG EK Credential Profile; TPM 2.0 Library, part 1, section 9.5.3.3):

 1. EK certificate: a path to an accepted root; not a CA; for key encipherment (RSA) or key agreement
    (ECC); extended key usage, where there is one, names 2.23.133.8.1.
 2. The AK is restricted to signing what the TPM made, and cannot leave it (its attributes).
 3. Activation: the TPM gave back the secret that was encrypted to that EK for an AK of this Name.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from sealmesh.attestation.certification import (
    Certificate,
    PublicKey,
    key_fingerprint,
    order_path,
    parse_certificate,
    verify_path,
)
from sealmesh.attestation.certification.certificate import Extension
from sealmesh.attestation.certification.der import DerReader, Tag, read_oid
from sealmesh.attestation.roots import TrustRoot
from sealmesh.attestation.tpm.public_area import PublicArea, parse_public_area
from sealmesh.attestation.validity import ALWAYS, Validity
from sealmesh.errors.attestation import EndorsementFormatError, VerificationError

MAX_CANDIDATES = 40
"""A few that the Evidence brings, and those of all manufacturers that an operator accepts."""

_KEY_ENCIPHERMENT, _KEY_AGREEMENT = 2, 4
_EXTENDED_KEY_USAGE, _SUBJECT_ALTERNATIVE_NAME = "2.5.29.37", "2.5.29.17"
_CERTIFICATE_POLICIES = "2.5.29.32"
_KNOWN_CRITICAL = frozenset({_EXTENDED_KEY_USAGE, _SUBJECT_ALTERNATIVE_NAME, _CERTIFICATE_POLICIES})
_EK_CERTIFICATE = "2.23.133.8.1"
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

    def endorsement_key(self, roots: Sequence[TrustRoot], now: datetime) -> PublicKey:
        """Return the key that a challenge has to be encrypted to, verified down from the manufacturer's root.

        Raises:
            EndorsementFormatError, VerificationError: As for `verify_endorsement_key`, and
                `profile:attestation key`.
        """
        self.public_area.verify_signs_only_for_its_tpm()
        ek, _, _ = verify_endorsement_key(self.certificate, self.candidates, roots=roots, now=now)
        if isinstance(ek.key, rsa.RSAPublicKey) and ek.key.key_size != _EK_BITS:
            raise VerificationError(
                "the EK is not after a default template", code="profile:ek", wanted=f"RSA-{_EK_BITS}"
            )
        return ek.key

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

    def verify(self, claimed: PublicArea | None, roots: Sequence[TrustRoot], now: datetime) -> VerifiedKey:
        """Verify the key; the plan is the module's.

        Raises:
            EndorsementFormatError: A certificate cannot be read, or there are too many.
            EvidenceFormatError: `format:tpm public area`.
            VerificationError: A certificate's (`ek`, `ek ca <n>`, `ek root`), `profile:attestation key`,
                `binding:credential`, or `trust anchor:attestation key`: the Evidence names another key.
        """
        # 1. EK certificate.
        ek, root, validity = verify_endorsement_key(self.certificate, self.candidates, roots=roots, now=now)
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
        issuer = order_path(ek, [parse_certificate(der, subject="ek ca") for der in self.candidates])[1]
        return VerifiedKey(key=area.key, root=root, validity=validity, manufacturer=issuer.subject_name)


def verify_endorsement_key(
    certificate: bytes, candidates: Sequence[bytes], *, roots: Sequence[TrustRoot], now: datetime
) -> tuple[Certificate, TrustRoot, Validity]:
    """Verify an EK certificate (step 1); also what a challenger does before `make_credential`.

    Returns:
        The certificate, the root that vouches for it, and how long all of them are valid.
    """
    if len(candidates) > MAX_CANDIDATES:
        raise EndorsementFormatError(
            "too many certificates of CAs", code="limit:chain", found=len(candidates), wanted=MAX_CANDIDATES
        )
    ek = parse_certificate(certificate, subject="ek")
    ordered = order_path(ek, [parse_certificate(der, subject="ek ca") for der in candidates])
    between = [f"ek ca {depth}" for depth in range(len(ordered) - 2, 0, -1)]
    usage = _KEY_ENCIPHERMENT if isinstance(ek.key, rsa.RSAPublicKey) else _KEY_AGREEMENT
    path = verify_path(
        ordered,
        subjects=("ek", *between, "ek root"),
        roots=roots,
        now=now,
        known_critical=_KNOWN_CRITICAL,
        leaf_usages=(usage,),
    )
    extension = ek.extensions.get(_EXTENDED_KEY_USAGE)
    if extension is not None and _EK_CERTIFICATE not in _purposes(extension):
        raise VerificationError(
            "the EK certificate is for another purpose", code="profile:ek", wanted=_EK_CERTIFICATE
        )
    if isinstance(ek.key, ec.EllipticCurvePublicKey) and not isinstance(ek.key.curve, ec.SECP256R1):
        raise VerificationError("the EK is not after a default template", code="profile:ek", wanted="P-256")
    return ek, path.root, path.validity


def _purposes(extension: Extension) -> frozenset[str]:
    try:
        outer = DerReader(extension.value)
        purposes = outer.sequence()
        outer.finish()
        found = set()
        while purposes.tag == Tag.OID:
            found.add(read_oid(purposes.content(Tag.OID)))
        purposes.finish()
    except ValueError as error:
        raise VerificationError(
            f"the EK certificate's purposes cannot be read: {error}", code="profile:ek"
        ) from error
    return frozenset(found)
