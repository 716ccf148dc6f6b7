"""A package on disk."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sealmesh.adapters.attester.signing_key import encode_signing_key, generate_signing_key


@dataclass(frozen=True)
class PackageOnDisk:
    """A directory with a package document, `app.py` and `lib/`."""

    path: Path

    @property
    def document(self) -> Path:
        return self.path / "sealmesh.json"

    def describe(self, **changes: Any) -> None:
        fields = {
            "exe": "app.py",
            "args": ["--port", "80"],
            "env": [{"name": "MODE", "value": "fast"}, {"name": "HOME", "fromHost": True}],
            "files": ["lib"],
            "productID": 7,
            "securityVersion": 3,
            **changes,
        }
        kept = {name: value for name, value in fields.items() if value is not None}
        self.document.write_text(json.dumps(kept))


@pytest.fixture(scope="session")
def key_pem() -> bytes:
    return encode_signing_key(generate_signing_key())


@pytest.fixture
def package(tmp_path: Path, key_pem: bytes) -> PackageOnDisk:
    path = tmp_path / "shop"
    (path / "lib" / "__pycache__").mkdir(parents=True)
    (path / "app.py").write_text("print('shop')\n")
    (path / "lib" / "prices.py").write_text("PRICE = 3\n")
    (path / "private.pem").write_bytes(key_pem)
    on_disk = PackageOnDisk(path)
    on_disk.describe()
    return on_disk
