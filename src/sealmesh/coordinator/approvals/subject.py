"""What exactly is approved: one digest for each kind of act.

Two things have the same digest only if doing them is the same. The kind of act is not in it: it stands beside
it in the signed document.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import scrypt, sha256
from typing import Protocol

from sealmesh.ledger.canonical import canonical_json, canonical_sha256

#: An approval travels through mail and hands; whoever gets it must not find a PIN by trying all of them.
_SCRYPT_COST = 2**14


class SecretValue(Protocol):
    """A value for a user-defined secret, as it is uploaded; None and empty are the same."""

    @property
    def certificate(self) -> bytes | None: ...
    @property
    def private(self) -> bytes | None: ...
    @property
    def key(self) -> bytes | None: ...


def update_subject(raw: bytes) -> str:
    """Return the subject of an update, of a package update, and of cancelling it: the document's SHA-256.

    For a manifest this is its fingerprint, as `sealmesh manifest signature` prints it.
    """
    return sha256(raw).hexdigest()


def reading_subject(user: str, names: Iterable[str]) -> str:
    """Return the subject of `user` reading these secrets, once."""
    return canonical_sha256({"secrets": sorted(set(names)), "user": user}).hex()


def writing_subject(uploads: Mapping[str, SecretValue], *, root: str) -> str:
    """Return the subject of setting these secrets to these values.

    Args:
        uploads: By name.
        root: `Mesh.root`; the salt.
    """
    document = {
        name: {
            "certificate": _base64(upload.certificate),
            "key": _base64(upload.key),
            "private": _base64(upload.private),
        }
        for name, upload in uploads.items()
    }
    return scrypt(
        canonical_json(document), salt=bytes.fromhex(root), n=_SCRYPT_COST, r=8, p=1, dklen=32
    ).hex()


def recovery_subject(coordinator: str) -> str:
    """Return the subject of recovering onto the Coordinator that shows this root (SHA-256, hex) now."""
    return canonical_sha256({"coordinator": coordinator}).hex()


def reset_subject(coordinator: str, raw: bytes) -> str:
    """Return the subject of giving a state up for this manifest, on the Coordinator with this root."""
    return canonical_sha256({"coordinator": coordinator, "manifest": sha256(raw).hexdigest()}).hex()


def _base64(data: bytes | None) -> str:
    return b64encode(data or b"").decode()
