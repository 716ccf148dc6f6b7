"""X.509 as the vendors of TEEs use it: read strictly, verified from the root down.

Apart from `dcap.certificates`, because these chains need what `cryptography` refuses to read (VCEK
certificates have the serial number 0) and a reading in which no byte outside the signature may vary.
"""

from sealmesh.attestation.certification.certificate import Certificate, parse_certificate
from sealmesh.attestation.certification.ocsp import ocsp_serial, verify_ocsp_response
from sealmesh.attestation.certification.path import VerifiedPath, order_path, verify_path
from sealmesh.attestation.certification.pem import parse_pem_certificates
from sealmesh.attestation.certification.public_key import PublicKey, key_fingerprint, parse_public_key
from sealmesh.attestation.certification.revocation import verify_revocation_list

__all__ = [
    "Certificate",
    "PublicKey",
    "VerifiedPath",
    "key_fingerprint",
    "ocsp_serial",
    "order_path",
    "parse_certificate",
    "parse_pem_certificates",
    "parse_public_key",
    "verify_ocsp_response",
    "verify_path",
    "verify_revocation_list",
]
