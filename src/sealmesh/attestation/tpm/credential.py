"""MakeCredential: a secret that only the TPM with this EK, and this attestation key in it, gives back.

Source: TCG TPM 2.0 Library, part 1, section 24 ("Credential Protection"), annexes B.10.4 (RSA: OAEP with
label IDENTITY) and C.6.1 (ECC: one-pass ECDH). For EKs after the TCG EK Credential Profile's default
templates: RSA-2048 and P-256 with SHA-256 and AES-128-CFB.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

try:  # moved in cryptography 47
    from cryptography.hazmat.decrepit.ciphers.modes import CFB
except ImportError:  # pragma: no cover
    from cryptography.hazmat.primitives.ciphers.modes import CFB

from sealmesh.attestation.certification import PublicKey
from sealmesh.attestation.tpm.key_derivation import kdfa, kdfe

SECRET_BYTES = 32
_IDENTITY = b"IDENTITY\0"
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What TPM2_ActivateCredential takes: `credentialBlob` (TPM2B_ID_OBJECT) and `secret`, both sized."""

    blob: bytes
    encrypted_seed: bytes


def make_credential(
    endorsement_key: PublicKey, key_name: bytes, secret: bytes, *, entropy: Callable[[int], bytes]
) -> Credential:
    """Encrypt `secret` so that only the TPM of this EK gives it back, and only with a key of this Name.

    Args:
        endorsement_key: From a verified EK certificate; RSA-2048 or P-256.
        key_name: The attestation key's Name, which covers its attributes.
        secret: At most 32 bytes.
        entropy: Where seed and ephemeral key come from.

    Raises:
        ValueError: Another kind of EK, or a longer secret.
    """
    if not 0 < len(secret) <= SECRET_BYTES:
        raise ValueError(f"a secret of 1 to {SECRET_BYTES} bytes")
    match endorsement_key:
        case rsa.RSAPublicKey() if endorsement_key.key_size == 2048:
            seed = entropy(32)
            oaep = padding.OAEP(padding.MGF1(SHA256()), SHA256(), _IDENTITY)
            encrypted = _sized(endorsement_key.encrypt(seed, oaep))
        case ec.EllipticCurvePublicKey() if isinstance(endorsement_key.curve, ec.SECP256R1):
            seed, encrypted = _shared_seed(endorsement_key, entropy)
        case _:
            raise ValueError("an EK after the default templates: RSA-2048 or P-256")
    encryptor = storage_cipher(seed, key_name).encryptor()
    identity = encryptor.update(_sized(secret)) + encryptor.finalize()
    integrity = outer_integrity(seed, identity, key_name).finalize()
    return Credential(blob=_sized(_sized(integrity) + identity), encrypted_seed=encrypted)


def storage_cipher(seed: bytes, key_name: bytes) -> Cipher[CFB]:
    """Return what the secret is encrypted with (part 1, section 24.4)."""
    return Cipher(AES128(kdfa(seed, b"STORAGE", key_name, 16)), CFB(bytes(16)))


def outer_integrity(seed: bytes, identity: bytes, key_name: bytes) -> HMAC:
    """Return what protects the encrypted secret, and the Name that it is for (part 1, section 24.5)."""
    outer = HMAC(kdfa(seed, b"INTEGRITY", b"", 32), SHA256())
    outer.update(identity + key_name)
    return outer


def _shared_seed(key: ec.EllipticCurvePublicKey, entropy: Callable[[int], bytes]) -> tuple[bytes, bytes]:
    scalar = int.from_bytes(entropy(48), "big") % (_P256_ORDER - 1) + 1
    ephemeral = ec.derive_private_key(scalar, ec.SECP256R1())
    shared = ephemeral.exchange(ec.ECDH(), key)
    mine, theirs = (number.public_numbers() for number in (ephemeral.public_key(), key))
    x, y = (value.to_bytes(32, "big") for value in (mine.x, mine.y))
    seed = kdfe(shared, b"IDENTITY", x, theirs.x.to_bytes(32, "big"))
    return seed, _sized(_sized(x) + _sized(y))


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data
