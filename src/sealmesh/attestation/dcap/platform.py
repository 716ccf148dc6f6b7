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

What does not depend on the platform (all but steps 3, 4 and FMSPC and PCEID) is `dcap.endorsements`, and
comes first.

Not looked at here: the quote's signatures, and what the TCB levels say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from cryptography.hazmat.primitives.asymmetric import ec

from sealmesh.attestation.dcap.certificates import Role, parse_chain, verify_link
from sealmesh.attestation.dcap.collateral import UnverifiedCollateral
from sealmesh.attestation.dcap.endorsements import VerifiedEndorsements, verify_endorsements, verify_same_root
from sealmesh.attestation.dcap.pck import PckPlatform, parse_pck_platform
from sealmesh.attestation.dcap.qe_identity import QeIdentity
from sealmesh.attestation.dcap.tcb_info import TcbInfo
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
    endorsements: VerifiedEndorsements | None = None,
) -> VerifiedPlatform:
    """Verify a platform's certificates and collateral at `now`; the plan is the module's.

    Args:
        pck_chain: PEM from the quote: PCK certificate, CA, root.
        collateral: For this platform.
        family: What the quote is of; TCB info and QE identity must be for it.
        roots: The trust roots accepted for `family`.
        now: Aware UTC.
        endorsements: What `verify_endorsements` made of this collateral for this family, under these roots,
            and still valid; None: nobody has verified it yet.

    Raises:
        EndorsementFormatError: Something cannot be read.
        VerificationError: Something does not hold.
    """
    # 1, 2, 5, 6. Everything that is not about this platform.
    known = endorsements or verify_endorsements(collateral, family=family, roots=roots, now=now)
    root = known.root_certificate

    # 3. PCK chain.
    pck, ca, pck_root = parse_chain(pck_chain, Role.PCK, Role.CA, Role.ROOT, known=(known.ca, root))
    verify_same_root(pck_root, root, subject=Role.PCK)
    if ca.der != known.ca.der:
        verify_link(ca, root, now=now)
        known.root_crl.verify_not_revoked((ca,))
    verify_link(pck, ca, now=now)
    if pck.issuer != known.pck_crl.issuer or ca.key != known.ca.key:
        raise VerificationError(
            "the PCK CRL is not of the CA that issued the PCK certificate", code="crl issuer:pck"
        )

    # 4. Revocation.
    known.pck_crl.verify_not_revoked((pck,))
    platform = parse_pck_platform(pck.extensions)
    _verify_same_platform(known.tcb_info, platform)

    return VerifiedPlatform(
        root=known.root,
        pck=platform,
        pck_key=pck.key,
        tcb_info=known.tcb_info,
        qe_identity=known.qe_identity,
        validity=reduce(Validity.intersect, (known.validity, pck.validity, ca.validity)),
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
