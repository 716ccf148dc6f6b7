"""Certificates that begin after they end, and so are valid at no time.

A manifest may give a certificate an end that lies in the past, and a package update keeps the end of
certificates that expired meanwhile; MarbleRun issues both (COMPAT sections 9 and 10). They are harmless,
since every peer refuses them. `cryptography` refuses to write such a span, so it writes one of no length and
the begin is put into the signed part afterwards. What comes out passes `issuing.check_issued` like the rest.
"""

from datetime import datetime
from typing import Final

from asn1crypto import core
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

#: From this year on times are written as GeneralizedTime (RFC 5280, 4.1.2.5).
_GENERALIZED_FROM: Final = 2050


def sign_past_end(
    builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey, *, begin: datetime, end: datetime
) -> x509.Certificate:
    """Sign what `builder` says with ECDSA and SHA-384, from `begin` to an `end` before it.

    Args:
        builder: Complete but for the validity.
        key: The issuer's.
        begin: Aware, UTC, whole seconds; so is `end`.
        end: When the certificate's life was over.

    Raises:
        ValueError: The builder's content cannot be written.
    """
    placeholder = builder.not_valid_before(end).not_valid_after(end).sign(key, hashes.SHA384())
    certificate = asn1.Certificate.load(placeholder.public_bytes(Encoding.DER))
    signed = certificate["tbs_certificate"]
    form = "general_time" if begin.year >= _GENERALIZED_FROM else "utc_time"
    signed["validity"]["not_before"] = asn1.Time({form: begin})
    signature = key.sign(signed.dump(), ec.ECDSA(hashes.SHA384()))
    certificate["signature_value"] = core.OctetBitString(signature)
    return x509.load_der_x509_certificate(certificate.dump())
