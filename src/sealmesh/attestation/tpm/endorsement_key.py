"""A TPM's endorsement key (EK) and the manufacturer's word for it.

Plan (TCG EK Credential Profile for TPM 2.0): a path to an accepted root; not a CA; for key encipherment (RSA)
or key agreement (ECC); extended key usage, where there is one, names 2.23.133.8.1; a key after the default
templates.

Not looked at: revocation, and what the certificate says about the TPM's model.
"""

from collections.abc import Sequence
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from sealmesh.attestation.cache import VerificationCache, digest_of
from sealmesh.attestation.certification import VerifiedPath, order_path, parse_certificate, verify_path
from sealmesh.attestation.certification.certificate import Extension
from sealmesh.attestation.certification.der import DerReader, Tag, read_oid
from sealmesh.attestation.roots import TrustRoot
from sealmesh.errors.attestation import EndorsementFormatError, VerificationError

MAX_CANDIDATES = 40
"""A few that the Evidence brings, and those of all manufacturers that an operator accepts."""

_KEY_ENCIPHERMENT, _KEY_AGREEMENT = 2, 4
_EXTENDED_KEY_USAGE, _SUBJECT_ALTERNATIVE_NAME = "2.5.29.37", "2.5.29.17"
_CERTIFICATE_POLICIES = "2.5.29.32"
_KNOWN_CRITICAL = frozenset({_EXTENDED_KEY_USAGE, _SUBJECT_ALTERNATIVE_NAME, _CERTIFICATE_POLICIES})
_EK_CERTIFICATE = "2.23.133.8.1"


def verify_endorsement_key(
    certificate: bytes,
    candidates: Sequence[bytes],
    *,
    roots: Sequence[TrustRoot],
    now: datetime,
    cache: VerificationCache | None = None,
) -> VerifiedPath:
    """Verify an EK certificate; also what a challenger does before `make_credential`.

    Args:
        certificate: DER.
        candidates: DER of CAs, at most `MAX_CANDIDATES`, the root among them.
        roots: The manufacturers' roots that are accepted.
        now: Aware UTC.
        cache: Remembers certificates that were verified before.

    Raises:
        EndorsementFormatError: A certificate cannot be read; `limit:chain`.
        VerificationError: A certificate's (`ek`, `ek ca <n>`, `ek root`).
    """
    if len(candidates) > MAX_CANDIDATES:
        raise EndorsementFormatError(
            "too many certificates of CAs", code="limit:chain", found=len(candidates), wanted=MAX_CANDIDATES
        )
    if cache is None:
        return _verify(certificate, candidates, roots, now)
    return cache.recall(
        digest_of(b"tpm ek", certificate, *candidates),
        lambda: _verify(certificate, candidates, roots, now),
        roots=roots,
        now=now,
    )


def _verify(
    certificate: bytes, candidates: Sequence[bytes], roots: Sequence[TrustRoot], now: datetime
) -> VerifiedPath:
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
    return path


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
