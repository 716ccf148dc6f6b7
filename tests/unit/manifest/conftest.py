import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from sealmesh.errors.manifest import ManifestError
from sealmesh.manifest import Manifest, parse_manifest

MINIMAL = {
    "Packages": {"oven": {"SignerID": "c0ffee00" * 8, "ProductID": 7, "SecurityVersion": 3}},
    "Marbles": {"baker": {"Package": "oven"}},
}

Document = dict[str, object]
REMOVE = object()


def changed(document: Document, changes: dict[str, object]) -> Document:
    """Set paths such as `Marbles/baker/Package` in a copy; REMOVE takes a key away."""
    result = copy.deepcopy(document)
    for path, value in changes.items():
        *parents, last = path.split("/")
        at = result
        for part in parents:
            at = at.setdefault(part, {})
        if value is REMOVE:
            del at[last]
        else:
            at[last] = value
    return result


@pytest.fixture(scope="session")
def remove() -> object:
    return REMOVE


@pytest.fixture
def document() -> Callable[..., bytes]:
    """The minimal manifest with changes, as JSON."""

    def build(changes: dict[str, object] | None = None) -> bytes:
        return json.dumps(changed(MINIMAL, changes or {}), indent=1).encode()

    return build


@pytest.fixture
def accepted(document: Callable[..., bytes]) -> Callable[..., Manifest]:
    def parse(changes: dict[str, object] | None = None, *, lenient: bool = False) -> Manifest:
        return parse_manifest(document(changes), lenient=lenient)

    return parse


@pytest.fixture
def codes(document: Callable[..., bytes]) -> Callable[..., list[str]]:
    """The codes of all violations, in document order; empty where the manifest is accepted."""

    def parse(changes: dict[str, object] | None = None, *, lenient: bool = False) -> list[str]:
        try:
            parse_manifest(document(changes), lenient=lenient)
        except ManifestError as error:
            return [violation.code for violation in error.violations]
        return []

    return parse


def _certificate(name: str) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(5)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2021, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture(scope="session")
def certificates() -> dict[str, str]:
    """Expired certificates: nothing here looks at time."""
    return {name: _certificate(name) for name in ("ada", "bob", "cy")}


def _public(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem.decode()


@pytest.fixture(scope="session")
def keys() -> dict[str, str]:
    return {
        "strong": _public(rsa.generate_private_key(65537, 2048)),
        "weak": _public(rsa.generate_private_key(65537, 1024)),
        "ec": _public(ec.generate_private_key(ec.SECP256R1())),
    }
