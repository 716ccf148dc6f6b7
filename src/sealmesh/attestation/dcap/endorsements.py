"""The vendor's word on a kind of platform, verified: revocation lists, TCB info, QE identity.

This is the part of verification that does not depend on the single platform: it holds for every platform of
the same kind for as long as `VerifiedEndorsements.validity` says. Steps 1, 2, 5 and 6 of `dcap.platform`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from sealmesh.attestation.dcap.certificates import Certificate, Role, parse_chain, verify_link, verify_profile
from sealmesh.attestation.dcap.collateral import UnverifiedCollateral
from sealmesh.attestation.dcap.ecdsa import verify_raw
from sealmesh.attestation.dcap.qe_identity import QeIdentity, parse_qe_identity
from sealmesh.attestation.dcap.revocation import RevocationList, verify_revocation_list
from sealmesh.attestation.dcap.tcb_info import TcbInfo, parse_tcb_info
from sealmesh.attestation.family import Family
from sealmesh.attestation.roots import TrustRoot
from sealmesh.attestation.validity import Validity
from sealmesh.errors.attestation import VerificationError


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedEndorsements:
    """What the vendor says about all platforms of a kind.

    Attributes:
        root: The trust root it was verified under.
        root_certificate: Its certificate.
        ca: The CA whose revocation list this is.
        root_crl: The root's revocation list.
        pck_crl: The CA's.
        tcb_info: For one FMSPC and PCEID.
        qe_identity: For one family.
        validity: When all of this holds.
    """

    root: TrustRoot
    root_certificate: Certificate
    ca: Certificate
    root_crl: RevocationList
    pck_crl: RevocationList
    tcb_info: TcbInfo
    qe_identity: QeIdentity
    validity: Validity


def verify_endorsements(
    collateral: UnverifiedCollateral, *, family: Family, roots: Sequence[TrustRoot], now: datetime
) -> VerifiedEndorsements:
    """Verify a collateral document at `now`, whatever platform it is for.

    Raises:
        EndorsementFormatError: Something cannot be read.
        VerificationError: Something does not hold.
    """
    ca, root = parse_chain(collateral.pck_crl_issuer_chain, Role.CA, Role.ROOT)

    # 1. Root.
    trust_root = _verify_root(root, roots)
    root_crl = verify_revocation_list(collateral.root_ca_crl, root, subject="root", now=now)
    verify_profile(root)
    root.validity.verify_contains(now, subject=Role.ROOT, name="root certificate")

    # 2. CRLs.
    verify_link(ca, root, now=now)
    pck_crl = verify_revocation_list(collateral.pck_crl, ca, subject="pck", now=now)
    root_crl.verify_not_revoked((ca,))

    # 5. TCB info.
    tcb_signer = _verify_signer(collateral.tcb_info_issuer_chain, root, root_crl, subject="tcb_info", now=now)
    verify_raw(tcb_signer.key, collateral.tcb_info_signature, collateral.tcb_info, subject="tcb_info")
    tcb_info = parse_tcb_info(collateral.tcb_info)
    _verify_document("tcb_info", tcb_info, family=family, now=now)

    # 6. QE identity.
    qe_signer = tcb_signer
    if collateral.qe_identity_issuer_chain != collateral.tcb_info_issuer_chain:
        qe_signer = _verify_signer(
            collateral.qe_identity_issuer_chain, root, root_crl, subject="qe_identity", now=now
        )
    verify_raw(qe_signer.key, collateral.qe_identity_signature, collateral.qe_identity, subject="qe_identity")
    qe_identity = parse_qe_identity(collateral.qe_identity)
    _verify_document("qe_identity", qe_identity, family=family, now=now)

    checked = (root, ca, root_crl, pck_crl, tcb_signer, tcb_info, qe_signer, qe_identity)
    return VerifiedEndorsements(
        root=trust_root,
        root_certificate=root,
        ca=ca,
        root_crl=root_crl,
        pck_crl=pck_crl,
        tcb_info=tcb_info,
        qe_identity=qe_identity,
        validity=reduce(Validity.intersect, (thing.validity for thing in checked)),
    )


def _verify_root(root: Certificate, roots: Sequence[TrustRoot]) -> TrustRoot:
    """Return the trust root that `root` is; the code says what follows for the CRL it should vouch for."""
    found = root.sha256
    for trust_root in roots:
        if trust_root.sha256 == found:
            return trust_root
    raise VerificationError(
        "no accepted trust root signed the root CRL; the collateral is under another root",
        code="crl sig:root",
        found=f"root certificate {root.subject.rfc4514_string()} with SHA-256 {found.hex()}",
        wanted=" or ".join(f"{known.name} {known.sha256.hex()}" for known in roots),
    )


def verify_same_root(found: Certificate, wanted: Certificate, *, subject: str) -> None:
    """Accept only the same root certificate.

    Raises:
        VerificationError: `root:<subject>`.
    """
    if found.der != wanted.der:
        raise VerificationError(
            f"the {subject} chain ends in another root than the collateral's",
            code=f"root:{subject}",
            found=found.sha256.hex(),
            wanted=wanted.sha256.hex(),
        )


def _verify_signer(
    chain: bytes, root: Certificate, root_crl: RevocationList, *, subject: str, now: datetime
) -> Certificate:
    signer, signer_root = parse_chain(chain, Role.TCB_SIGNING, Role.ROOT, known=(root,))
    verify_same_root(signer_root, root, subject=subject)
    verify_link(signer, root, now=now)
    root_crl.verify_not_revoked((signer,))
    return signer


def _verify_document(subject: str, document: TcbInfo | QeIdentity, *, family: Family, now: datetime) -> None:
    name = subject.replace("_", " ").replace("tcb", "TCB").replace("qe", "QE")
    document.validity.verify_contains(now, subject=subject, name=name)
    if document.family is not family:
        raise VerificationError(
            f"{name} for another family of TEE", code=f"{subject}:id", found=document.family, wanted=family
        )
