"""Certificate secrets: what an issuer could not put into a certificate."""

from sealmesh.manifest.model import CertificateTemplate, Manifest
from sealmesh.manifest.reading.view import Reading
from sealmesh.manifest.report import Path

_MAX_KEY_USAGE = 511
_MAX_EXT_KEY_USAGE = 13
_MAX_PATH_LEN = 255


def check_certificates(reading: Reading, manifest: Manifest) -> None:
    """Check the templates of certificate secrets."""
    for name, secret in manifest.secrets.items():
        if secret.certificate is None or not reading.sound("Secrets", name):
            continue
        path = ("Secrets", name, "Cert")
        _check_numbers(reading, secret.certificate, path)
        _check_texts(reading, secret.certificate, path)
        if not secret.type.is_certificate and not reading.lenient:
            reading.report.add(
                "secret.cert-without-certificate",
                path,
                f"A {secret.type} has no certificate.",
                remedy="Leave `Cert` out, or use a type that begins with cert-.",
            )


def _check_numbers(reading: Reading, template: CertificateTemplate, path: Path) -> None:
    if not 0 <= template.key_usage <= _MAX_KEY_USAGE:
        _refuse(
            reading, (*path, "KeyUsage"), f"KeyUsage is a sum of bits from 1 to 256: 0 to {_MAX_KEY_USAGE}."
        )
    for index, usage in enumerate(template.ext_key_usage or ()):
        if not 0 <= usage <= _MAX_EXT_KEY_USAGE:
            _refuse(
                reading, (*path, "ExtKeyUsage", index), f"ExtKeyUsage goes from 0 to {_MAX_EXT_KEY_USAGE}."
            )
    if not -1 <= template.max_path_len <= _MAX_PATH_LEN:
        _refuse(reading, (*path, "MaxPathLen"), f"MaxPathLen goes from -1 (none) to {_MAX_PATH_LEN}.")


def _check_texts(reading: Reading, template: CertificateTemplate, path: Path) -> None:
    """Alternative names are IA5String (RFC 5280, section 4.2.1.6); a country is two letters (X.520)."""
    for field, texts in (
        ("DNSNames", template.dns_names),
        ("EmailAddresses", template.email_addresses),
        ("URIs", template.uris),
    ):
        for index, text in enumerate(texts or ()):
            if not text.isascii() or not text:
                _refuse(reading, (*path, field, index), "It is not empty and holds ASCII characters only.")
    for index, country in enumerate(template.subject.country):
        if len(country) != 2 or not country.isascii():
            _refuse(reading, (*path, "Subject", "Country", index), "A country has two letters.")


def _refuse(reading: Reading, path: Path, message: str) -> None:
    reading.report.add("secret.bad-certificate-field", path, message)
