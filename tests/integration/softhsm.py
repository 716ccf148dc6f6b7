"""A SoftHSM2 token for tests.

The PKCS#11 library reads its configuration once in a process, so whatever uses a token here runs in a
process of its own, with `environment`.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

LIBRARIES = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"),
    Path("/usr/lib64/pkcs11/libsofthsm2.so"),
)
PIN = "5678"
_ADD_CERTIFICATE = """
import sys, pkcs11
from cryptography import x509
from pkcs11 import Attribute, CertificateType, ObjectClass
library, pin, file, label, key_id = sys.argv[1:]
der = open(file, "rb").read()
with pkcs11.lib(library).get_token(token_label="ops").open(user_pin=pin, rw=True) as session:
    session.create_object({
        Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.CERTIFICATE_TYPE: CertificateType.X_509,
        Attribute.TOKEN: True, Attribute.LABEL: label, Attribute.ID: bytes.fromhex(key_id),
        Attribute.SUBJECT: x509.load_der_x509_certificate(der).subject.public_bytes(), Attribute.VALUE: der,
    })
"""
ABSENT = "no HSM simulator: softhsm2 is not installed"


def library() -> Path | None:
    return (
        next((path for path in LIBRARIES if path.exists()), None) if shutil.which("softhsm2-util") else None
    )


class SoftToken:
    """A token in a directory of its own."""

    def __init__(self, folder: Path) -> None:
        found = library()
        assert found is not None
        self.library, self.folder = found, folder
        (folder / "tokens").mkdir()
        configuration = folder / "softhsm2.conf"
        configuration.write_text(
            f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
        )
        self.environment = os.environ | {"SOFTHSM2_CONF": str(configuration)}
        self._util("--init-token", "--free", "--label", "ops", "--so-pin", "1234", "--pin", PIN)

    def configuration(self, **changes: object) -> Path:
        """Write a configuration file as MarbleRun's client takes it."""
        members = {"Path": str(self.library), "TokenLabel": "ops", "Pin": PIN} | changes
        path = self.folder / f"pkcs11-{len(list(self.folder.iterdir()))}.json"
        path.write_text(json.dumps({name: value for name, value in members.items() if value is not None}))
        return path

    def add(self, label: str, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, key_id: str) -> None:
        """Put a private key into the token; it cannot be read again."""
        file = self.folder / f"{label}.p8"
        file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self._util(*("--import", str(file), "--token", "ops", "--pin", PIN, "--label", label, "--id", key_id))
        file.unlink()

    def add_certificate(self, label: str, found: x509.Certificate, key_id: str) -> None:
        file = self.folder / f"{label}.der"
        file.write_bytes(found.public_bytes(Encoding.DER))
        subprocess.run(
            [sys.executable, "-c", _ADD_CERTIFICATE, str(self.library), PIN, str(file), label, key_id],
            check=True,
            env=self.environment,
            capture_output=True,
        )

    def _util(self, *arguments: str) -> None:
        subprocess.run(["softhsm2-util", *arguments], check=True, capture_output=True, env=self.environment)
