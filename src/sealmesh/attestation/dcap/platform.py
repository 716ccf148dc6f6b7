"""The platform: PCK certificate and collateral, verified together.

This is the part of verification that does not depend on the single quote: it holds for every quote
of the same platform, under the same collateral, for as long as `VerifiedPlatform.validity` says.

Plan (Intel SGX ECDSA Quote Library API, "Quote Verification Library"; Intel PCS API v4; RFC 5280):

 1. Root: the collateral's root certificate is an accepted trust root, and signed the root CRL.
 2. CRLs: the PCK CA's certificate was issued by the root and signed the PCK CRL; both CRLs are
    complete, the right CA's and fresh.
 3. PCK chain: the quote's PCK certificate was issued by its CA, and that by the same root; profile
    and validity of each.
 4. Revocation: the root CRL does not name the CA or the TCB signer, the PCK CRL not the PCK.
 5. TCB info: signed by a TCB signing certificate that the root issued; fresh; for this family,
    FMSPC and PCEID.
 6. QE identity: the same; for this family.

Not looked at here: the quote's signatures, and what the TCB levels say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from cryptography.hazmat.primitives.asymmetric import ec

from sealmesh.attestation.dcap.certificates import Certificate, Role, parse_chain, verify_link, verify_profile
from sealmesh.attestation.dcap.collateral import UnverifiedCollateral
from sealmesh.attestation.dcap.ecdsa import verify_raw
from sealmesh.attestation.dcap.pck import PckPlatform, parse_pck_platform
from sealmesh.attestation.dcap.qe_identity import QeIdentity, parse_qe_identity
from sealmesh.attestation.dcap.revocation import RevocationList, verify_revocation_list
from sealmesh.attestation.dcap.tcb_info import TcbInfo, parse_tcb_info
from sealmesh.attestation.family import Family
from sealmesh.attestation.roots import TrustRoot
from sealmesh.attestation.validity import Validity
from sealmesh.errors.attestation import VerificationError


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedPlatform:
    """A platform that the vendor vouches for.

    Attributes:
        root: The trust root it was verified under.
        pck: What the PCK certificate says.
        pck_key: The key that signs QE reports on this platform.
        tcb_info: For this platform's FMSPC and PCEID.
        qe_identity: For this family.
        validity: When all of this holds: no certificate, CRL or document is used outside its dates.
    """

    root: TrustRoot
    pck: PckPlatform
    pck_key: ec.EllipticCurvePublicKey
    tcb_info: TcbInfo
    qe_identity: QeIdentity
    validity: Validity


def verify_platform(
    pck_chain: bytes,
    collateral: UnverifiedCollateral,
    *,
    family: Family,
    roots: Sequence[TrustRoot],
    now: datetime,
) -> VerifiedPlatform:
    """Verify a platform's certificates and collateral at `now`; the plan is the module's.

    Args:
        pck_chain: PEM from the quote: PCK certificate, CA, root.
        collateral: For this platform.
        family: What the quote is of; TCB info and QE identity must be for it.
        roots: The trust roots accepted for `family`.
        now: Aware UTC.

    Raises:
        EndorsementFormatError: Something cannot be read.
        VerificationError: Something does not hold.
    """
    crl_ca, root = parse_chain(collateral.pck_crl_issuer_chain, Role.CA, Role.ROOT)
    pck, ca, pck_root = parse_chain(pck_chain, Role.PCK, Role.CA, Role.ROOT)

    # 1. Root.
    trust_root = _verify_root(root, roots)
    root_crl = verify_revocation_list(collateral.root_ca_crl, root, subject="root", now=now)
    verify_profile(root)
    root.validity.verify_contains(now, subject=Role.ROOT, name="root certificate")

    # 2. CRLs.
    verify_link(crl_ca, root, now=now)
    pck_crl = verify_revocation_list(collateral.pck_crl, crl_ca, subject="pck", now=now)

    # 3. PCK chain.
    _verify_same_root(pck_root, root, subject=Role.PCK)
    if ca.der != crl_ca.der:
        verify_link(ca, root, now=now)
    verify_link(pck, ca, now=now)
    if pck.issuer != pck_crl.issuer or ca.key != crl_ca.key:
        raise VerificationError(
            "the PCK CRL is not of the CA that issued the PCK certificate", code="crl issuer:pck"
        )

    # 4. Revocation.
    root_crl.verify_not_revoked({ca.der: ca, crl_ca.der: crl_ca}.values())
    pck_crl.verify_not_revoked((pck,))
    platform = parse_pck_platform(pck.extensions)

    # 5. TCB info.
    tcb_signer = _verify_signer(collateral.tcb_info_issuer_chain, root, root_crl, subject="tcb_info", now=now)
    verify_raw(tcb_signer.key, collateral.tcb_info_signature, collateral.tcb_info, subject="tcb_info")
    tcb_info = parse_tcb_info(collateral.tcb_info)
    _verify_document("tcb_info", tcb_info, family=family, now=now)
    _verify_same_platform(tcb_info, platform)

    # 6. QE identity.
    qe_signer = _verify_signer(
        collateral.qe_identity_issuer_chain, root, root_crl, subject="qe_identity", now=now
    )
    verify_raw(qe_signer.key, collateral.qe_identity_signature, collateral.qe_identity, subject="qe_identity")
    qe_identity = parse_qe_identity(collateral.qe_identity)
    _verify_document("qe_identity", qe_identity, family=family, now=now)

    checked = (root, crl_ca, ca, pck, root_crl, pck_crl, tcb_signer, tcb_info, qe_signer, qe_identity)
    return VerifiedPlatform(
        root=trust_root,
        pck=platform,
        pck_key=pck.key,
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


def _verify_same_root(found: Certificate, wanted: Certificate, *, subject: str) -> None:
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
    signer, signer_root = parse_chain(chain, Role.TCB_SIGNING, Role.ROOT)
    _verify_same_root(signer_root, root, subject=subject)
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


def _verify_same_platform(tcb_info: TcbInfo, platform: PckPlatform) -> None:
    for code, found, wanted in (
        ("fmspc", tcb_info.fmspc, platform.fmspc),
        ("pceid", tcb_info.pce_id, platform.pce_id),
    ):
        if found != wanted:
            raise VerificationError(
                f"TCB info for another {code.upper()}", code=code, found=found.hex(), wanted=wanted.hex()
            )
