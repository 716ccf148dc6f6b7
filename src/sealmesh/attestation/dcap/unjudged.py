"""A DCAP quote without collateral: genuine cryptography, and nobody's word about the platform's TCB.

Plan:

 1. The PCK chain in the quote ends in an accepted root; links, profiles and dates hold.
 2. The PCK key signed the QE report, which vouches for the attestation key.
 3. The attestation key signed the quote.

Not looked at, because it needs collateral: whether a certificate is revoked, whether the quoting enclave
and the TDX module are the vendor's, the TCB level. A revoked platform, or a made-up enclave in the
quoting enclave's place, passes. What comes of this is `NotJudged`, which `appraise` never accepts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from sealmesh.attestation.dcap.certificates import Role, parse_chain, verify_link, verify_profile
from sealmesh.attestation.dcap.ecdsa import load_point
from sealmesh.attestation.dcap.pck import PckPlatform, parse_pck_platform, pck_chain_of
from sealmesh.attestation.dcap.quote import DcapQuote
from sealmesh.attestation.dcap.quote_signature import verify_attestation_key, verify_quote_signature
from sealmesh.attestation.roots import TrustRoot
from sealmesh.attestation.validity import Validity
from sealmesh.errors.attestation import VerificationError


@dataclass(frozen=True, slots=True, kw_only=True)
class UnjudgedPlatform:
    """A platform with a certificate of the vendor's; revoked or not, nobody asked."""

    root: TrustRoot
    pck: PckPlatform
    validity: Validity


def verify_unjudged(quote: DcapQuote, *, roots: Sequence[TrustRoot], now: datetime) -> UnjudgedPlatform:
    """Verify a quote as far as it goes without collateral; the plan is the module's.

    Raises:
        EndorsementFormatError: The PCK chain cannot be read.
        VerificationError: `root:pck`, a certificate's, `signature:qe report`, `binding:attestation key` or
            `signature:quote`.
    """
    # 1. PCK chain.
    pck, ca, root = parse_chain(
        pck_chain_of(quote.signature.certification, None), Role.PCK, Role.CA, Role.ROOT
    )
    trust_root = next((known for known in roots if known.sha256 == root.sha256), None)
    if trust_root is None:
        raise VerificationError(
            "the PCK chain does not end in an accepted trust root",
            code="root:pck",
            found=root.sha256.hex(),
            wanted=" or ".join(f"{known.name} {known.sha256.hex()}" for known in roots),
        )
    verify_link(root, root, now=now)
    verify_profile(root)
    verify_link(ca, root, now=now)
    verify_link(pck, ca, now=now)
    # 2. Attestation key.
    verify_attestation_key(quote.signature.certification, pck.key)
    # 3. Quote.
    verify_quote_signature(quote, load_point(quote.signature.certification.attestation_key))
    validity = reduce(Validity.intersect, (certificate.validity for certificate in (pck, ca, root)))
    return UnjudgedPlatform(root=trust_root, pck=parse_pck_platform(pck.extensions), validity=validity)
