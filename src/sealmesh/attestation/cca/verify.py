"""Verification of Arm CCA tokens.

Plan (Arm DEN0137 section A7.2, "Attestation token"; draft-ffm-rats-cca-token section 5, "Verification"):

 1. Trust anchor: the platform key registered for this implementation and instance, accepted by
    fingerprint. There is no certificate, so nothing expires.
 2. The platform token was signed with it (COSE_Sign1, ES256, ES384 or ES512 as the key has it).
 3. Binding: the platform token's challenge is the digest of the realm attestation key, taken by the
    algorithm the realm token names, over exactly the bytes of its claim. Without this any key could
    sign for a realm.
 4. The realm token was signed with the realm attestation key.

Not looked at: measurements, lifecycle, configuration, the realm's challenge. Facts for `appraise`.
"""

from collections.abc import Sequence
from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, Hash, HashAlgorithm

from sealmesh.attestation.cbor import decode
from sealmesh.attestation.cca.claims import CcaClaims
from sealmesh.attestation.cca.token import CcaToken, PlatformToken, RealmToken
from sealmesh.attestation.cca.trust_anchor import CcaCollateral, PlatformKey
from sealmesh.attestation.claim_map import ClaimMap
from sealmesh.attestation.cose import ES256, ES384, ES512
from sealmesh.attestation.genuine import Genuine
from sealmesh.attestation.roots import TrustRoot
from sealmesh.attestation.validity import ALWAYS
from sealmesh.errors.attestation import VerificationError

_HASHES: dict[str, HashAlgorithm] = {"sha-256": SHA256(), "sha-384": SHA384(), "sha-512": SHA512()}
_POINTS: dict[int, ec.EllipticCurve] = {65: ec.SECP256R1(), 97: ec.SECP384R1(), 133: ec.SECP521R1()}
_COSE_CURVES: dict[int, tuple[ec.EllipticCurve, int, int]] = {
    1: (ec.SECP256R1(), 32, ES256),
    2: (ec.SECP384R1(), 48, ES384),
    3: (ec.SECP521R1(), 66, ES512),
}
_COSE_EC2 = 2
_COSE_VERIFY = 2
_KEY = "cca realm key"


def verify_cca(
    token: CcaToken, collateral: CcaCollateral, *, roots: Sequence[TrustRoot]
) -> Genuine[CcaClaims]:
    """Verify a token; the plan is the module's.

    Raises:
        EvidenceFormatError: `format:cca realm key`.
        VerificationError: `trust anchor:platform`, `root:platform key`, `signature:platform token`,
            `binding:realm key` or `signature:realm token`.
    """
    platform, realm = token.platform, token.realm
    # 1. Trust anchor.
    anchor = _find(platform, collateral)
    root = _verify_root(anchor, roots)
    # 2. Platform token.
    platform.sign1.verify(anchor.key, subject="platform token")
    # 3. Binding.
    _verify_binding(platform, realm)
    # 4. Realm token.
    realm.sign1.verify(load_realm_key(realm.public_key), subject="realm token")
    return Genuine(root=root, validity=ALWAYS, claims=_claims(platform, realm))


def _find(platform: PlatformToken, collateral: CcaCollateral) -> PlatformKey:
    for known in collateral.platform_keys:
        if known.implementation_id not in (None, platform.implementation_id):
            continue
        if known.instance_id in (None, platform.instance_id):
            return known
    raise VerificationError(
        "no platform key is registered for this platform",
        code="trust anchor:platform",
        found=f"implementation {platform.implementation_id.hex()}, instance {platform.instance_id.hex()}",
    )


def _verify_root(anchor: PlatformKey, roots: Sequence[TrustRoot]) -> TrustRoot:
    found = anchor.sha256
    for root in roots:
        if root.sha256 == found:
            return root
    raise VerificationError(
        "the platform key is not an accepted trust root",
        code="root:platform key",
        found=found.hex(),
        wanted=" or ".join(f"{known.name} {known.sha256.hex()}" for known in roots),
    )


def _verify_binding(platform: PlatformToken, realm: RealmToken) -> None:
    algorithm = _HASHES.get(realm.public_key_hash_alg)
    if algorithm is None:
        raise VerificationError(
            "the realm's key is bound by a hash algorithm that is not known",
            code="binding:realm key",
            found=realm.public_key_hash_alg,
            wanted=" or ".join(_HASHES),
        )
    digest = Hash(algorithm)
    digest.update(realm.public_key)
    wanted = digest.finalize()
    if platform.challenge != wanted:
        raise VerificationError(
            "the platform token does not vouch for the realm's key",
            code="binding:realm key",
            found=platform.challenge.hex(),
            wanted=wanted.hex(),
        )


def load_realm_key(raw: bytes) -> ec.EllipticCurvePublicKey:
    """Return the key of the realm token: an uncompressed point, or a COSE_Key (RFC 9053 section 7.1.1).

    Raises:
        EvidenceFormatError: `format:cca realm key`.
    """
    try:
        if raw[0] == 4 and len(raw) in _POINTS:
            return ec.EllipticCurvePublicKey.from_encoded_point(_POINTS[len(raw)], raw)
        return _cose_key(ClaimMap(decode(raw, subject=_KEY), _KEY))
    except ValueError:
        _refuse_key(ClaimMap({}, _KEY))


def _cose_key(key: ClaimMap) -> ec.EllipticCurvePublicKey:
    """Return an EC2 key; one that names an algorithm or operations is for nothing else (RFC 9052, 7.1)."""
    crv, kty, alg, key_ops = -1, 1, 3, 4
    curve, length, algorithm = _COSE_CURVES.get(key.number(crv, most=3), (None, 0, 0))
    if key.number(kty, most=16) != _COSE_EC2 or curve is None:
        _refuse_key(key)
    if alg in key and key.get(alg) != algorithm:
        key.refuse("algorithm", f"{algorithm}, the curve's")
    if key_ops in key and _COSE_VERIFY not in key.items(key_ops, most=16):
        key.refuse("operations", "verify")
    x, y = (int.from_bytes(key.octets(label, lengths=(length,)), "big") for label in (-2, -3))
    return ec.EllipticCurvePublicNumbers(x, y, curve).public_key()


def _refuse_key(key: ClaimMap) -> NoReturn:
    key.refuse("key", "a point on P-256, P-384 or P-521")


def _claims(platform: PlatformToken, realm: RealmToken) -> CcaClaims:
    return CcaClaims(
        profile=platform.profile,
        implementation_id=platform.implementation_id,
        instance_id=platform.instance_id,
        lifecycle=platform.lifecycle,
        config=platform.config,
        platform_hash_alg=platform.hash_alg,
        sw_components=platform.software_components,
        verification_service=platform.verification_service,
        realm_challenge=realm.challenge,
        personalization=realm.personalization,
        rim=realm.rim,
        rem=realm.rems,
        hash_alg=realm.hash_alg,
    )
