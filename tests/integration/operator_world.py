"""A Coordinator process with a policy, users and recovery keys, for tests of what operators do."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

from sealmesh.demo.programs import free_port, listening

COORDINATOR = [sys.executable, "-m", "sealmesh.cli", "coordinator"]
PATIENCE_SECONDS = 30


def certificate(name: str, key: Any) -> x509.Certificate:
    subject, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    return (
        builder.not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )


def pem_key(key: Any) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def pem_certificate(found: x509.Certificate) -> str:
    return found.public_bytes(Encoding.PEM).decode()


def pem_public(key: Any) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def open_secret(key: rsa.RSAPrivateKey, wrapped: bytes) -> bytes:
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    return key.decrypt(wrapped, oaep)


class OperatorWorld:
    """A folder with the Coordinator's state, `policy.json`, users' files, and manifests.

    Users: ada may do everything, bob may update manifests, eve may do nothing.
    """

    def __init__(self, folder: Path, program: list[str] = COORDINATOR) -> None:
        self.folder, self.port, self.program = folder, free_port(), program
        self.options = [
            *("--attester", f"simulated:{folder / 'platform'}", "--seal-dir", str(folder / "state")),
            *("--client-addr", f"127.0.0.1:{self.port}", "--mesh-addr", f"127.0.0.1:{free_port()}"),
        ]
        self.process: subprocess.Popen[bytes] | None = None
        self.users = {name: rsa.generate_private_key(65537, 2048) for name in ("ada", "bob", "eve")}
        self.certificates = {name: certificate(name, key) for name, key in self.users.items()}
        self.owners = {name: rsa.generate_private_key(65537, 2048) for name in ("olga", "omar")}
        for name, key in self.users.items():
            (folder / f"{name}.crt").write_text(pem_certificate(self.certificates[name]))
            (folder / f"{name}.key").write_text(pem_key(key))
        for name, key in self.owners.items():
            (folder / f"{name}.key").write_text(pem_key(key))
        policy = subprocess.run(
            [*COORDINATOR, *self.options, "--print-policy"], capture_output=True, check=True
        )
        (folder / "policy.json").write_bytes(policy.stdout)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def manifest(self, **changes: Any) -> dict[str, Any]:
        return {
            "Packages": {"oven": {"SignerID": "c0" * 32, "ProductID": 7, "SecurityVersion": 3}},
            "Marbles": {"baker": {"Package": "oven"}},
            "Secrets": {
                "pin": {"Type": "symmetric-key", "Size": 128, "UserDefined": True},
                "recipe": {"Type": "plain", "UserDefined": True},
                "shop": {"Type": "cert-rsa", "UserDefined": True},
            },
            "Users": {
                "ada": {
                    "Certificate": pem_certificate(self.certificates["ada"]),
                    "Roles": ["all", "keys", "svn"],
                },
                "bob": {"Certificate": pem_certificate(self.certificates["bob"]), "Roles": ["all"]},
                "eve": {"Certificate": pem_certificate(self.certificates["eve"]), "Roles": []},
            },
            "Roles": {
                "all": {"ResourceType": "Manifest", "Actions": ["UpdateManifest"]},
                "keys": {
                    "ResourceType": "Secrets",
                    "ResourceNames": ["pin", "recipe", "shop"],
                    "Actions": ["ReadSecret", "WriteSecret"],
                },
                "svn": {
                    "ResourceType": "Packages",
                    "ResourceNames": ["oven"],
                    "Actions": ["UpdateSecurityVersion"],
                },
            },
            "RecoveryKeys": {name: pem_public(key) for name, key in self.owners.items()},
        } | changes

    def write(self, name: str, content: bytes | str | dict[str, Any]) -> str:
        raw = json.dumps(content) if isinstance(content, dict) else content
        (self.folder / name).write_bytes(raw if isinstance(raw, bytes) else raw.encode())
        return name

    def shares(self, file: str) -> dict[str, bytes]:
        """Read recovery data that the command line wrote."""
        document = json.loads((self.folder / file).read_bytes())
        return {name: base64.b64decode(item) for name, item in document["RecoverySecrets"].items()}

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.program, *self.options],
                stdout=log,
                stderr=log,
                env=os.environ | {"HOME": str(self.folder)},
            )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not listening(self.port):
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def lose_key(self) -> None:
        """Restart without the sealed key: it wakes up in recovery."""
        self.kill()
        (self.folder / "state" / "sealed_key").unlink()
        self.start()
