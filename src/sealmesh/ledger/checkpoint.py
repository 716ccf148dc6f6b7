"""Checkpoints of the log as C2SP defines them (https://c2sp.org/tlog-checkpoint): origin, size, root."""

import base64
import binascii
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ed25519

from sealmesh.errors.ledger import NoteError
from sealmesh.ledger.merkle import HASH_BYTES, Frontier
from sealmesh.ledger.note import NoteKey, sign_note, verify_note

#: Sizes are counted in 64 bits (C2SP tlog-checkpoint).
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One state of a log.

    Attributes:
        origin: Which log: `TRUST-DOMAIN/ledger`, unique because the trust domain is made of the root key.
        size: Number of leaves.
        root: Merkle Tree Hash over them, 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the note text: origin, size and base64 root, one a line."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def ledger_origin(trust_domain: str) -> str:
    """Return the origin of the log that the Coordinator of `trust_domain` keeps."""
    return f"{trust_domain}/ledger"


def sign_checkpoint(trust_domain: str, frontier: Frontier, signing_key: ed25519.Ed25519PrivateKey) -> str:
    """Return the signed note of the log's present state."""
    origin = ledger_origin(trust_domain)
    checkpoint = Checkpoint(origin=origin, size=frontier.size, root=frontier.root())
    return sign_note(checkpoint.text(), name=origin, signing_key=signing_key)


def verify_checkpoint(note: str, key: NoteKey) -> Checkpoint:
    """Return the checkpoint in `note` if `key` signed it and is named after the log it is of.

    Raises:
        NoteError: It is malformed, not signed by `key`, or of another log.
    """
    lines = verify_note(note, key).split("\n")
    if len(lines) < 4:
        raise NoteError("a checkpoint has three lines", found=len(lines) - 1)
    origin, size, root = lines[:3]
    if origin != key.name:
        raise NoteError("the checkpoint is of another log", found=repr(origin[:80]), wanted=key.name)
    if not _SIZE.fullmatch(size):
        raise NoteError("the checkpoint's size is not a decimal number", found=repr(size[:40]))
    return Checkpoint(origin=origin, size=int(size), root=_root(root))


def _root(text: str) -> bytes:
    try:
        root = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("the checkpoint's root is not base64") from error
    if len(root) != HASH_BYTES:
        raise NoteError("the checkpoint's root has another length", found=len(root), wanted=HASH_BYTES)
    return root
