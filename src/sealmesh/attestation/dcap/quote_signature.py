"""The two signatures of a quote, and the quoting enclave between them.

Plan (Intel SGX ECDSA Quote Library API, "Quote Verification Library", checks on the quote):

 1. The PCK key signed the QE report.
 2. The QE report's data is SHA-256 of attestation key and QE authentication data, then zeros: so
    the quoting enclave vouches for this attestation key.
 3. The QE report is of the vendor's quoting enclave (QE identity).
 4. The attestation key signed header and body.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, Hash

from sealmesh.attestation.dcap.collateral import UnverifiedCollateral
from sealmesh.attestation.dcap.ecdsa import load_point, verify_raw
from sealmesh.attestation.dcap.pck import pck_chain_of
from sealmesh.attestation.dcap.platform import VerifiedPlatform, verify_platform
from sealmesh.attestation.dcap.qe_identity import verify_quoting_enclave
from sealmesh.attestation.dcap.quote import DcapQuote
from sealmesh.attestation.dcap.signature_data import KeyCertification
from sealmesh.attestation.dcap.tcb_info import IsvLevel
from sealmesh.attestation.family import Family
from sealmesh.attestation.roots import TrustRoot
from sealmesh.attestation.validity import Validity
from sealmesh.errors.attestation import VerificationError


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifiedKey:
    """An attestation key for which an enclave of the vendor vouches, on a platform of the vendor.

    Attributes:
        key: None where the point is not on the curve: it has signed nothing then.
        level: Of the quoting enclave.
    """

    platform: VerifiedPlatform
    key: ec.EllipticCurvePublicKey | None
    level: IsvLevel

    @property
    def root(self) -> TrustRoot:
        """The trust root it was verified under."""
        return self.platform.root

    @property
    def validity(self) -> Validity:
        """When all of this holds; the certification itself has no dates."""
        return self.platform.validity


def verify_key(
    certification: KeyCertification,
    collateral: UnverifiedCollateral,
    *,
    family: Family,
    roots: Sequence[TrustRoot],
    now: datetime,
) -> CertifiedKey:
    """Verify the platform (`verify_platform`), then that it vouches for the attestation key.

    Raises:
        EndorsementFormatError: Something cannot be read.
        VerificationError: Something does not hold.
    """
    chain = pck_chain_of(certification, collateral)
    platform = verify_platform(chain, collateral, family=family, roots=roots, now=now)
    return certify_key(certification, platform)


def certify_key(certification: KeyCertification, platform: VerifiedPlatform) -> CertifiedKey:
    """Accept an attestation key only if an enclave of the vendor, on this platform, vouches for it (1 to 3).

    Raises:
        VerificationError: `signature:qe report`, `binding:attestation key` or `qe identity:<field>`.
    """
    # 1. and 2. The attestation key is one of this platform's.
    verify_attestation_key(certification, platform.pck_key)
    # 3. The quoting enclave is the vendor's.
    level = verify_quoting_enclave(certification.qe_report, platform.qe_identity)
    return CertifiedKey(platform=platform, key=load_point(certification.attestation_key), level=level)


def verify_quote_signature(quote: DcapQuote, key: ec.EllipticCurvePublicKey | None) -> None:
    """Accept header and body only if the attestation key signed them (4).

    Raises:
        VerificationError: `signature:quote`.
    """
    verify_raw(key, quote.signature.quote_signature, quote.signed, subject="quote")


def verify_attestation_key(certification: KeyCertification, pck_key: ec.EllipticCurvePublicKey) -> None:
    """Accept the attestation key only if an enclave that the PCK key signed for vouches for it (1, 2)."""
    report = certification.qe_report
    verify_raw(pck_key, certification.qe_report_signature, certification.qe_report_raw, subject="qe report")
    wanted = qe_report_data(certification.attestation_key, certification.qe_auth_data)
    if report.report_data != wanted:
        raise VerificationError(
            "the quoting enclave does not vouch for this attestation key",
            code="binding:attestation key",
            found=report.report_data.hex(),
            wanted=wanted.hex(),
        )


def qe_report_data(attestation_key: bytes, auth_data: bytes) -> bytes:
    """Return the 64 bytes of report data by which a quoting enclave vouches for its key."""
    digest = Hash(SHA256())
    digest.update(attestation_key + auth_data)
    return digest.finalize() + bytes(32)
