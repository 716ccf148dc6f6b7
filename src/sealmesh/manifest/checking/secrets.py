"""Secrets: types, sizes, and how much work they are (COMPAT section 9)."""

from sealmesh.manifest.limits import (
    MAX_PRIVATE_KEY_BITS,
    MAX_RSA_BITS,
    MAX_RSA_WORK,
    MAX_SHARED_KEY_BITS,
    MAX_SHARED_KEYS_BITS,
    MAX_VALID_FOR_DAYS,
    MIN_RSA_BITS,
    MIN_RSA_BITS_LENIENT,
)
from sealmesh.manifest.model import Manifest, SecretDefinition, SecretType
from sealmesh.manifest.reading.view import Reading
from sealmesh.manifest.report import Path

_CURVES = (224, 256, 384, 521)


def check_secrets(reading: Reading, manifest: Manifest) -> None:
    """Check every secret and all of them together."""
    for name, secret in manifest.secrets.items():
        if reading.sound("Secrets", name):
            _check_secret(reading, secret, ("Secrets", name))
    _check_sum(reading, manifest)


def _check_secret(reading: Reading, secret: SecretDefinition, path: Path) -> None:
    if secret.valid_for > MAX_VALID_FOR_DAYS:
        reading.report.add(
            "secret.valid-for-too-long",
            (*path, "ValidFor"),
            f"ValidFor is at most {MAX_VALID_FOR_DAYS} days: the end must fit a certificate.",
        )
    if secret.valid_for and secret.certificate is not None and secret.certificate.not_after is not None:
        reading.report.add(
            "secret.two-ends",
            (*path, "ValidFor"),
            "ValidFor and Cert.NotAfter both say when the certificate ends.",
            remedy="Keep one.",
        )
    if secret.user_defined:
        _check_uploaded(reading, secret, path)
        return
    match secret.type:
        case SecretType.PLAIN:
            reading.report.add(
                "secret.plain-not-user-defined",
                path,
                "A plain secret cannot be generated.",
                remedy='Add "UserDefined": true.',
            )
        case SecretType.SYMMETRIC_KEY:
            _check_symmetric(reading, secret, path)
        case SecretType.CERT_RSA:
            _check_rsa(reading, secret, path)
        case SecretType.CERT_ECDSA if secret.size not in _CURVES:
            _bad_size(reading, path, f"An ECDSA key has a Size of {', '.join(map(str, _CURVES))}.")
        case SecretType.CERT_ED25519 if secret.size:
            _bad_size(reading, path, "An Ed25519 key has one size only.", "Leave Size out.")
        case _:
            pass


def _bad_size(reading: Reading, path: Path, message: str, remedy: str = "") -> None:
    reading.report.add("secret.bad-size", (*path, "Size"), message, remedy=remedy)


def _check_uploaded(reading: Reading, secret: SecretDefinition, path: Path) -> None:
    if secret.type is SecretType.SYMMETRIC_KEY and secret.size > MAX_SHARED_KEY_BITS:
        _bad_size(
            reading,
            path,
            f"A key has at most {MAX_SHARED_KEY_BITS} bits: a Marble gets its secrets in one message.",
        )


def _check_symmetric(reading: Reading, secret: SecretDefinition, path: Path) -> None:
    if not secret.size or secret.size % 8:
        _bad_size(reading, path, "A key's Size is in bits: a multiple of 8, not 0.", "For AES-256 write 256.")
    elif secret.shared and secret.size > MAX_SHARED_KEY_BITS:
        _bad_size(
            reading,
            path,
            f"A shared key has at most {MAX_SHARED_KEY_BITS} bits: a Marble gets its secrets in one message.",
        )
    elif not secret.shared and secret.size > MAX_PRIVATE_KEY_BITS:
        _bad_size(
            reading,
            path,
            f"A key of one Marble has at most {MAX_PRIVATE_KEY_BITS} bits: HKDF-SHA256 derives no more.",
        )


def _check_rsa(reading: Reading, secret: SecretDefinition, path: Path) -> None:
    least = MIN_RSA_BITS_LENIENT if reading.lenient else MIN_RSA_BITS
    if secret.size > MAX_RSA_BITS:
        _bad_size(
            reading, path, f"An RSA key has at most {MAX_RSA_BITS} bits: larger ones take minutes to make."
        )
    elif not secret.size:
        _bad_size(reading, path, "An RSA key needs a Size in bits.", "Write 3072.")
    elif secret.size < least:
        reading.report.add(
            "secret.weak-rsa",
            (*path, "Size"),
            f"An RSA key of {secret.size} bits is weak; at least {least} are wanted.",
            remedy="Write 3072, or use cert-ecdsa.",
        )


def _check_sum(reading: Reading, manifest: Manifest) -> None:
    secrets = manifest.secrets.values()
    generated = [secret for secret in secrets if not secret.user_defined]
    bits = sum(secret.size for secret in secrets if secret.type is SecretType.SYMMETRIC_KEY)
    if bits > MAX_SHARED_KEYS_BITS:
        reading.report.add(
            "secret.too-much",
            ("Secrets",),
            f"All keys together have at most {MAX_SHARED_KEYS_BITS} bits: templates are tried with all.",
        )
    sizes = [min(secret.size, MAX_RSA_BITS) for secret in generated if secret.type is SecretType.CERT_RSA]
    if sum((size / MIN_RSA_BITS) ** 4 for size in sizes) > MAX_RSA_WORK:
        reading.report.add(
            "secret.too-much-rsa",
            ("Secrets",),
            "The RSA keys together take too long to make.",
            remedy="Use smaller or fewer ones, or cert-ecdsa.",
        )
