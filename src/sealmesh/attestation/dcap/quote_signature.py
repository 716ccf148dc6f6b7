"""The two signatures of a quote, and the quoting enclave between them.

Plan (Intel SGX ECDSA Quote Library API, "Quote Verification Library", checks on the quote):

 1. The PCK key signed the QE report.
 2. The QE report's data is SHA-256 of attestation key and QE authentication data, then zeros: so
    the quoting enclave vouches for this attestation key.
 3. The QE report is of the vendor's quoting enclave (QE identity).
 4. The attestation key signed header and body.
"""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, Hash

from sealmesh.attestation.dcap.ecdsa import load_point, verify_raw
from sealmesh.attestation.dcap.platform import VerifiedPlatform
from sealmesh.attestation.dcap.qe_identity import verify_quoting_enclave
from sealmesh.attestation.dcap.quote import DcapQuote
from sealmesh.attestation.dcap.tcb_info import IsvLevel
from sealmesh.errors.attestation import VerificationError


def verify_quote_signature(quote: DcapQuote, platform: VerifiedPlatform) -> IsvLevel:
    """Accept a quote only if an enclave of the vendor, on this platform, signed it.

    Returns:
        The level of the quoting enclave.

    Raises:
        VerificationError: `signature:qe report`, `binding:attestation key`, `qe identity:<field>`
            or `signature:quote`.
    """
    # 1. and 2. The attestation key is one of this platform's.
    verify_attestation_key(quote, platform.pck_key)
    # 3. The quoting enclave is the vendor's.
    level = verify_quoting_enclave(quote.signature.qe_report, platform.qe_identity)
    # 4. The attestation key signed the quote.
    verify_signed_by_attestation_key(quote)
    return level


def verify_attestation_key(quote: DcapQuote, pck_key: ec.EllipticCurvePublicKey) -> None:
    """Accept the attestation key only if an enclave that the PCK key signed for vouches for it (1, 2)."""
    signature = quote.signature
    verify_raw(pck_key, signature.qe_report_signature, signature.qe_report_raw, subject="qe report")
    wanted = qe_report_data(signature.attestation_key, signature.qe_auth_data)
    if signature.qe_report.report_data != wanted:
        raise VerificationError(
            "the quoting enclave does not vouch for this attestation key",
            code="binding:attestation key",
            found=signature.qe_report.report_data.hex(),
            wanted=wanted.hex(),
        )


def verify_signed_by_attestation_key(quote: DcapQuote) -> None:
    """Accept header and body only if the attestation key signed them (4)."""
    key = load_point(quote.signature.attestation_key)
    verify_raw(key, quote.signature.quote_signature, quote.signed, subject="quote")


def qe_report_data(attestation_key: bytes, auth_data: bytes) -> bytes:
    """Return the 64 bytes of report data by which a quoting enclave vouches for its key."""
    digest = Hash(SHA256())
    digest.update(attestation_key + auth_data)
    return digest.finalize() + bytes(32)
