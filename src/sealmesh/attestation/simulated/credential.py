"""TPM2_ActivateCredential, as a TPM with an elliptic EK does it.

Source: TCG TPM 2.0 Library, part 1, section 24 ("Credential Protection") and annex C.6.1; part 3, 12.5.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

from sealmesh.attestation.reader import Reader
from sealmesh.attestation.tpm.credential import SECRET_BYTES, Credential, outer_integrity, storage_cipher
from sealmesh.attestation.tpm.key_derivation import kdfe
from sealmesh.errors.attestation import EvidenceFormatError, PlatformError

_COORDINATE = 32
_MAC = 32
_SUBJECT = "credential"


def activate_credential(
    endorsement_key: ec.EllipticCurvePrivateKey, key_name: bytes, credential: Credential
) -> bytes:
    """Return the secret, if it was encrypted to this EK for the key of this Name.

    Raises:
        PlatformError: `platform:credential`, for another EK or key, or changed on the way.
    """
    try:
        identity, integrity = _opened(credential.blob)
        seed = _seed(endorsement_key, credential.encrypted_seed)
        outer_integrity(seed, identity, key_name).verify(integrity)
        decryptor = storage_cipher(seed, key_name).decryptor()
        return _whole(decryptor.update(identity) + decryptor.finalize(), most=SECRET_BYTES)
    except (InvalidSignature, EvidenceFormatError, ValueError) as error:
        raise PlatformError(
            "the TPM does not activate this credential",
            code="platform:credential",
            wanted="one for this endorsement key and this attestation key",
            remedy="Ask the Coordinator for another challenge.",
        ) from error


def _opened(blob: bytes) -> tuple[bytes, bytes]:
    """Return the encrypted secret and its MAC (TPM2B_ID_OBJECT)."""
    reader = Reader(_whole(blob, most=256), _SUBJECT)
    integrity = reader.sized("integrityHMAC", most=_MAC)
    return reader.take(reader.remaining, "encIdentity"), integrity


def _seed(endorsement_key: ec.EllipticCurvePrivateKey, encrypted_seed: bytes) -> bytes:
    reader = Reader(_whole(encrypted_seed, most=256), _SUBJECT)
    x, y = (int.from_bytes(reader.sized(name, most=_COORDINATE), "big") for name in ("x", "y"))
    reader.finish()
    ephemeral = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    shared = endorsement_key.exchange(ec.ECDH(), ephemeral)
    own = endorsement_key.public_key().public_numbers().x
    return kdfe(shared, b"IDENTITY", x.to_bytes(_COORDINATE, "big"), own.to_bytes(_COORDINATE, "big"))


def _whole(sized: bytes, *, most: int) -> bytes:
    reader = Reader(sized, _SUBJECT)
    content = reader.sized("the whole", most=most)
    reader.finish()
    return content
