"""Certificates in PEM, read strictly. Source: RFC 7468 section 5."""

import re
from binascii import a2b_base64

from sealmesh.attestation.certification.certificate import Certificate, parse_certificate
from sealmesh.errors.attestation import EndorsementFormatError

MAX_PEM_BYTES = 32 * 1024
_BLOCK = re.compile(
    rb"-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE-----(?:\r?\n)*"
)


def parse_pem_certificates(pem: bytes, *, subject: str, most: int) -> tuple[Certificate, ...]:
    """Parse PEM certificates, one after the other and nothing between them.

    Raises:
        EndorsementFormatError: `limit:<subject> chain`, `format:<subject> chain`, or a certificate's own.
    """
    if len(pem) > MAX_PEM_BYTES:
        raise EndorsementFormatError(
            f"the {subject} chain is too long",
            code=f"limit:{subject} chain",
            found=len(pem),
            wanted=MAX_PEM_BYTES,
        )
    certificates: list[Certificate] = []
    position = 0
    while position < len(pem):
        match = _BLOCK.match(pem, position)
        if match is None or len(certificates) == most:
            raise EndorsementFormatError(
                f"the {subject} chain is not one of up to {most} PEM certificates",
                code=f"format:{subject} chain",
            )
        certificates.append(parse_certificate(_decode(match.group(1), subject), subject=subject))
        position = match.end()
    return tuple(certificates)


def _decode(text: bytes, subject: str) -> bytes:
    try:
        return a2b_base64(text.replace(b"\r", b"").replace(b"\n", b""), strict_mode=True)
    except ValueError as error:
        raise EndorsementFormatError(
            f"the {subject} chain is not base64", code=f"format:{subject} chain"
        ) from error
