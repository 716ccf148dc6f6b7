"""What the paravisor says about the VM, as JSON: the vTPM's keys and how the VM is configured.

Source: Microsoft, "Guest attestation for confidential VMs in Azure: vTPM", section "Runtime claims";
RFC 7517 and RFC 7518 section 6.3.1 (RSA keys).
"""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric import rsa

from sealmesh.attestation.dcap.documents import load_json
from sealmesh.errors.attestation import EndorsementFormatError, EvidenceFormatError

ATTESTATION_KEY = "HCLAkPub"
_BASE64URL = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_MAX_KEYS = 16
_USER_DATA_BYTES = 64
_SUBJECT = "hcl claims"

Setting = str | int | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeClaims:
    """Claims taken apart; they hold when the hardware vouches for their digest.

    Attributes:
        attestation_key: The vTPM's key for quotes.
        vm_configuration: E.g. `secure-boot`, `tpm-enabled`, `vmUniqueId`.
        user_data: 64 bytes that the guest wrote to NV index 0x01400002 before the report was made.
    """

    attestation_key: rsa.RSAPublicKey
    vm_configuration: Mapping[str, Setting]
    user_data: bytes


def parse_runtime_claims(raw: bytes) -> RuntimeClaims:
    """Parse the claims.

    Raises:
        EvidenceFormatError: `format:hcl claims`.
    """
    document = load_evidence_json(raw, subject=_SUBJECT)
    configuration, user_data = document.get("vm-configuration", {}), document.get("user-data", "")
    if not isinstance(configuration, dict) or not all(
        value is None or isinstance(value, str | int) for value in configuration.values()
    ):
        _refuse("vm-configuration with plain values")
    octets = hex_octets(user_data)
    if octets is None or len(octets) not in (0, _USER_DATA_BYTES):
        _refuse(f"user-data of {_USER_DATA_BYTES} bytes in hexadecimal")
    return RuntimeClaims(
        attestation_key=_attestation_key(document.get("keys")),
        vm_configuration=configuration,
        user_data=octets,
    )


def load_evidence_json(raw: bytes, *, subject: str) -> dict[str, object]:
    """Return the object that a JSON text of Evidence is.

    Raises:
        EvidenceFormatError: `format:<subject>`: not JSON, a duplicate key, not an object.
    """
    try:
        document = load_json(raw, subject=subject)
    except EndorsementFormatError as error:
        raise EvidenceFormatError(error.message, code=error.code) from error
    if not isinstance(document, dict):
        raise EvidenceFormatError(f"{subject} is not an object", code=f"format:{subject}")
    return document


def hex_octets(text: object) -> bytes | None:
    """Return the bytes of hexadecimal text of either case without blanks, or None if it is not that."""
    if not isinstance(text, str) or not set(text.lower()) <= set("0123456789abcdef") or len(text) % 2:
        return None
    return bytes.fromhex(text)


def base64url_octets(text: object) -> bytes | None:
    """Return the bytes of base64url text, with padding or without, or None if it is not that."""
    if not isinstance(text, str) or not set(text.rstrip("=")) <= _BASE64URL:
        return None
    bare = text.rstrip("=")
    if len(bare) % 4 == 1 or text not in (bare, bare + "=" * (-len(bare) % 4)):
        return None
    return urlsafe_b64decode(bare + "=" * (-len(bare) % 4))


def _attestation_key(keys: object) -> rsa.RSAPublicKey:
    if not isinstance(keys, list) or len(keys) > _MAX_KEYS:
        _refuse("a list of keys")
    named = [key for key in keys if isinstance(key, dict) and key.get("kid") == ATTESTATION_KEY]
    if len(named) != 1:
        _refuse(f"exactly one key {ATTESTATION_KEY}")
    key = named[0]
    if key.get("kty") != "RSA" or "sign" not in _operations(key):
        _refuse("an RSA key for signing")
    modulus, exponent = (base64url_octets(key.get(name)) or b"" for name in ("n", "e"))
    if len(modulus) != 256 or exponent != b"\1\0\1":
        _refuse("an RSA key of 2048 bits with the exponent 65537")
    try:
        numbers = rsa.RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big"))
        return numbers.public_key()
    except ValueError:
        _refuse("an RSA key")


def _operations(key: Mapping[str, object]) -> list[object]:
    operations = key.get("key_ops", ["sign"])
    return operations if isinstance(operations, list) else []


def _refuse(wanted: str) -> NoReturn:
    raise EvidenceFormatError(
        "the paravisor's claims are not as they must be", code=f"format:{_SUBJECT}", wanted=wanted
    )
