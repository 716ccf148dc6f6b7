"""OCSP responses that somebody fetched beforehand: what a CA says about one certificate.

Plan (RFC 6960, sections 3.2 and 4.2.2):

 1. A successful response, of one answer, about this certificate of this issuer (hashes and serial number).
 2. Signed by the issuer itself, or by a responder whose certificate the issuer signed for that (key purpose
    OCSPSigning); a responder that was only configured somewhere is not accepted.
 3. Fresh: it has a next update, and `now` lies between both.
 4. The certificate is good. Unknown is not good.

There is no nonce: the response was not asked for by who verifies it. Whether the responder's own certificate
was revoked is not looked at (RFC 6960, section 4.2.2.2.1, leaves that to the CA).
"""

from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512, Hash, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

from sealmesh.attestation.certification.algorithms import verify_signature
from sealmesh.attestation.certification.certificate import Certificate, parse_certificate
from sealmesh.attestation.certification.der import DerReader, Tag, read_oid
from sealmesh.attestation.certification.public_key import PublicKey
from sealmesh.attestation.validity import Validity
from sealmesh.errors.attestation import EndorsementFormatError, VerificationError

MAX_RESPONSE_BYTES: Final = 32 * 1024
_EXTENDED_KEY_USAGE: Final = "2.5.29.37"
_OCSP_SIGNING: Final = "1.3.6.1.5.5.7.3.9"
_HASHES: Final = (SHA256, SHA384, SHA512)
"""That may be signed; names of certificates may be hashed with SHA-1 too, nothing rests on that."""


def ocsp_serial(der: bytes) -> int:
    """Return the serial number of the certificate that a response is about; nothing is verified.

    Raises:
        EndorsementFormatError: `format:ocsp`.
    """
    return _load(der).serial_number


def verify_ocsp_response(
    der: bytes, certificate: Certificate, issuer: Certificate, *, subject: str, now: datetime
) -> Validity:
    """Verify a response about `certificate`; the plan is the module's. Return when it holds.

    Args:
        der: The response.
        certificate: It is about this one.
        issuer: Its CA. That it has issued `certificate` is not looked at here.
        subject: What the certificate is called in errors.
        now: Aware UTC.

    Raises:
        EndorsementFormatError: `format:ocsp` or `limit:ocsp`.
        VerificationError: `ocsp certificate:<subject>`, `ocsp sig:<subject>`, `ocsp scope:<subject>`,
            `expired:ocsp`, `expired:ocsp responder`, `revoked:<subject>` or `ocsp status:<subject>`.
    """
    response = _load(der)
    # 1. About this certificate.
    _verify_about(response, certificate, issuer, subject)
    # 2. Signature.
    responder_validity = _verify_signed(response, issuer, subject, now)
    # 3. Freshness.
    until = response.next_update_utc
    if until is None:
        raise VerificationError(
            "the OCSP response has no next update", code=f"ocsp scope:{subject}", wanted="a next update"
        )
    validity = Validity(not_before=response.this_update_utc, not_after=until)
    validity.verify_contains(now, subject="ocsp", name=f"OCSP response about the {subject} certificate")
    # 4. Status.
    _verify_good(response, subject)
    return validity.intersect(responder_validity)


def _load(der: bytes) -> ocsp.OCSPResponse:
    """Read a response and all of its fields that are looked at: `cryptography` reads them lazily."""
    if len(der) > MAX_RESPONSE_BYTES:
        raise EndorsementFormatError("the OCSP response is too long", code="limit:ocsp", found=len(der))
    try:
        response = ocsp.load_der_ocsp_response(der)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise ValueError(f"the responder answered {response.response_status.name}")
        _ = (response.serial_number, response.this_update_utc, response.next_update_utc)
        _ = (response.certificate_status, response.tbs_response_bytes, response.signature)
        if response.extensions or response.single_extensions:
            pass  # their form is read; none changes what is looked at here
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise EndorsementFormatError(
            f"the OCSP response cannot be read: {error}", code="format:ocsp"
        ) from error
    return response


def _verify_about(
    response: ocsp.OCSPResponse, certificate: Certificate, issuer: Certificate, subject: str
) -> None:
    try:
        algorithm = response.hash_algorithm
        found = (response.issuer_name_hash, response.issuer_key_hash, response.serial_number)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise EndorsementFormatError(
            f"the OCSP response names its certificate in an unknown way: {error}", code="format:ocsp"
        ) from error
    if not isinstance(algorithm, (SHA1, *_HASHES)):
        raise EndorsementFormatError("the OCSP response has an unknown hash", code="format:ocsp")
    wanted = (_hash(algorithm, issuer.subject), _hash(algorithm, _key_bits(issuer.key)), certificate.serial)
    if found != wanted:
        raise VerificationError(
            f"the OCSP response is about another certificate than the {subject}'s",
            code=f"ocsp certificate:{subject}",
            found=f"serial number {found[2]:x}",
            wanted=f"serial number {wanted[2]:x} of {issuer.subject_name}",
        )


def _verify_signed(response: ocsp.OCSPResponse, issuer: Certificate, subject: str, now: datetime) -> Validity:
    """Accept a response of the issuer or of its delegate; return when that one's word counts."""
    try:
        _verify_by(response, issuer.key)
    except InvalidSignature:
        responder = _delegate(response, issuer, subject)
    else:
        return issuer.validity
    responder.validity.verify_contains(now, subject="ocsp responder", name="OCSP responder's certificate")
    try:
        _verify_by(response, responder.key)
    except InvalidSignature as error:
        raise _not_signed(subject, "the signature does not verify") from error
    return responder.validity


def _delegate(response: ocsp.OCSPResponse, issuer: Certificate, subject: str) -> Certificate:
    """Return the certificate of the responder, which the issuer must have signed for this purpose."""
    try:
        certificates = response.certificates
    except ValueError as error:
        raise _not_signed(subject, "the certificates that it brings cannot be read") from error
    if not certificates:
        raise _not_signed(subject, "it brings no certificate of a responder")
    responder = parse_certificate(certificates[0].public_bytes(Encoding.DER), subject="ocsp responder")
    try:
        if responder.issuer != issuer.subject:
            raise InvalidSignature
        verify_signature(issuer.key, responder.algorithm, responder.signature, responder.signed)
    except InvalidSignature as error:
        raise _not_signed(subject, "its responder's certificate is of another CA") from error
    if _OCSP_SIGNING not in _purposes(responder):
        raise _not_signed(subject, "its responder's certificate is not for OCSP")
    return responder


def _purposes(certificate: Certificate) -> frozenset[str]:
    extension = certificate.extensions.get(_EXTENDED_KEY_USAGE)
    if extension is None:
        return frozenset()
    try:
        outer = DerReader(extension.value)
        sequence = outer.sequence()
        outer.finish()
        found = set()
        while sequence.tag == Tag.OID:
            found.add(read_oid(sequence.content(Tag.OID)))
        sequence.finish()
    except ValueError:
        return frozenset()
    return frozenset(found)


def _verify_by(response: ocsp.OCSPResponse, key: PublicKey) -> None:
    try:
        digest = response.signature_hash_algorithm
        if not isinstance(digest, _HASHES):
            raise InvalidSignature
        match key:
            case ec.EllipticCurvePublicKey():
                key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(digest))
            case rsa.RSAPublicKey():
                key.verify(response.signature, response.tbs_response_bytes, PKCS1v15(), digest)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidSignature from error


def _verify_good(response: ocsp.OCSPResponse, subject: str) -> None:
    status = response.certificate_status
    if status is ocsp.OCSPCertStatus.REVOKED:
        raise VerificationError(
            f"the {subject} certificate is revoked",
            code=f"revoked:{subject}",
            found=f"serial number {response.serial_number:x}",
        )
    if status is not ocsp.OCSPCertStatus.GOOD:
        raise VerificationError(
            f"the CA does not know the {subject} certificate",
            code=f"ocsp status:{subject}",
            found=status.name.lower(),
            wanted="good",
        )


def _not_signed(subject: str, problem: str) -> VerificationError:
    return VerificationError(
        f"the OCSP response about the {subject} certificate is not its CA's: {problem}",
        code=f"ocsp sig:{subject}",
    )


def _hash(algorithm: HashAlgorithm, data: bytes) -> bytes:
    digest = Hash(algorithm)
    digest.update(data)
    return digest.finalize()


def _key_bits(key: PublicKey) -> bytes:
    """Return the content of the BIT STRING in a public key, which responses hash."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
