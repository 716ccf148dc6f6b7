"""The certificate extensions of the mesh: which there are, and their encoded values.

`SIMULATION_OID` is ours. Arcs made from UUIDs (2.25.N) are no choice: Go's `crypto/x509` refuses a whole
certificate when an arc of any extension's identifier needs more than 31 bits. The identifier uses the
public scheme that splits a UUID into seven small arcs below 1.2.840.113556.1.8000.2554 (our UUID is
be14bfca-bd86-44d5-9dcb-2122bce52f0e). The value is a UTF8String, so that `openssl x509 -text` and
`certtool` show the words as they stand.
"""

from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

#: Not critical; the value is the raw bytes of the Marble type, with no ASN.1 around (COMPAT, section 6).
MARBLE_TYPE_OID: Final = "1.3.9903.2.1"
#: Not critical; marks every certificate of a mesh that accepts Evidence of a simulated TEE.
SIMULATION_OID: Final = "1.2.840.113556.1.8000.2554.48660.49098.48518.17621.40395.2171580.15019790"
SIMULATION_TEXT: Final = "simulated TEE"

_UTF8_STRING_TAG: Final = 0x0C
_MARBLE_TYPE: Final = x509.ObjectIdentifier(MARBLE_TYPE_OID)
_SIMULATION: Final = x509.UnrecognizedExtension(
    x509.ObjectIdentifier(SIMULATION_OID),
    bytes([_UTF8_STRING_TAG, len(SIMULATION_TEXT)]) + SIMULATION_TEXT.encode(),
)
SERVER_AND_CLIENT: Final = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


def key_usage(*, key_agreement: bool = False, key_cert_sign: bool = False) -> x509.KeyUsage:
    """Return digitalSignature and what is asked for besides."""
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=key_agreement,
        key_cert_sign=key_cert_sign,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


CA_KEY_USAGE: Final = key_usage(key_cert_sign=True)
LEAF_KEY_USAGE: Final = key_usage(key_agreement=True)


def simulation_extension() -> x509.UnrecognizedExtension:
    """Return the extension that says so when Evidence may come from a simulated TEE."""
    return _SIMULATION


def marble_type_extension(marble_type: str) -> x509.UnrecognizedExtension:
    """Return MarbleRun's extension with the raw bytes of the Marble type."""
    return x509.UnrecognizedExtension(_MARBLE_TYPE, marble_type.encode())


def says_simulation(extensions: x509.Extensions) -> bool:
    """Tell whether the certificate is stamped as one of a mesh with simulated TEEs.

    Any value counts: a stamp that is not understood must not be taken for none.
    """
    return any(extension.oid == _SIMULATION.oid for extension in extensions)


def marble_type_in(extensions: x509.Extensions) -> bytes | None:
    """Return the raw Marble type in the extensions, None without one."""
    for extension in extensions:
        if extension.oid == _MARBLE_TYPE and isinstance(extension.value, x509.UnrecognizedExtension):
            return extension.value.value
    return None
