"""Signed notes as C2SP defines them (https://c2sp.org/signed-note), with Ed25519 keys.

A note is a text that ends with a newline, an empty line, and one line per signature. C2SP's common
algorithm is Ed25519 and the Coordinator's CA key is P-384, so the log has a key of its own. It is
derived from the CA root key: every worker knows it without storing it, and it lives as long as the
root does. What binds it to the Coordinator for a stranger is the statement that names it.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sealmesh.errors.ledger import NoteError

ED25519 = b"\x01"
_SIGNATURE_START = "\u2014 "


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteKey:
    """A named public key (C2SP signed-note, "Verifier keys")."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        if not self.name or "+" in self.name or any(c.isspace() or c < " " for c in self.name):
            raise NoteError("key name is empty or has a blank or plus sign", found=repr(self.name))
        if len(self.public_key) != 32:
            raise NoteError("Ed25519 public keys have 32 bytes", found=len(self.public_key))

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name || newline || type || key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public_key).digest()[:4]

    def text(self) -> str:
        """Return `NAME+ID+KEY`, as it is handed to tools that read notes."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(ED25519 + self.public_key).decode()}"


def parse_note_key(text: str) -> NoteKey:
    """Return the key that `NAME+ID+KEY` describes.

    Raises:
        NoteError: It has another shape, another algorithm, or an id that is not the key's.
    """
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    raw = _unbase64(encoded, "note key")
    if raw[:1] != ED25519:
        raise NoteError("note key is not an Ed25519 key", found=raw[:1].hex(), wanted=ED25519.hex())
    key = NoteKey(name=name, public_key=raw[1:])
    if key.key_id.hex() != key_id:
        raise NoteError("note key's id does not fit the key", found=key_id[:16], wanted=key.key_id.hex())
    return key


def derive_signing_key(root_key: ec.EllipticCurvePrivateKey) -> ed25519.Ed25519PrivateKey:
    """Return the log's signing key: HKDF-SHA256 over the CA root key's private number."""
    number = root_key.private_numbers().private_value.to_bytes((root_key.key_size + 7) // 8, "big")
    seed = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"sealmesh ledger note key v1")
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed.derive(number))


def note_key(name: str, signing_key: ed25519.Ed25519PrivateKey) -> NoteKey:
    """Return the named public half of `signing_key`."""
    raw = signing_key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return NoteKey(name=name, public_key=raw)


def sign_note(text: str, *, name: str, signing_key: ed25519.Ed25519PrivateKey) -> str:
    """Return `text` with one signature under `name`.

    Raises:
        NoteError: The text does not end with a newline.
    """
    if not text.endswith("\n"):
        raise NoteError("a note's text ends with a newline")
    signature = note_key(name, signing_key).key_id + signing_key.sign(text.encode())
    return f"{text}\n{_SIGNATURE_START}{name} {base64.b64encode(signature).decode()}\n"


def verify_note(note: str, key: NoteKey) -> str:
    """Return the text of `note` after verifying a signature by `key`; others' signatures are passed over.

    Raises:
        NoteError: The note is malformed, `key` did not sign it, or its signature does not hold.
    """
    head, separator, tail = note.rpartition("\n\n")
    if not separator or not tail.endswith("\n") or not tail.strip("\n"):
        raise NoteError("the note has no signatures")
    text = head + "\n"
    for line in tail[:-1].split("\n"):
        name, signature = _signature(line)
        if name != key.name or signature[:4] != key.key_id:
            continue
        try:
            ed25519.Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature[4:], text.encode())
        except (InvalidSignature, ValueError, UnicodeEncodeError) as error:
            raise NoteError("the note's signature does not hold", found=f"a signature by {name}") from error
        return text
    raise NoteError("the note is not signed by the wanted key", wanted=key.text())


def _signature(line: str) -> tuple[str, bytes]:
    name, blank, encoded = line.removeprefix(_SIGNATURE_START).partition(" ")
    if not line.startswith(_SIGNATURE_START) or not name or not blank:
        raise NoteError("a signature line of the note is malformed", found=repr(line[:60]))
    signature = _unbase64(encoded, "note signature")
    if len(signature) < 5:
        raise NoteError("a signature of the note is too short", found=f"{len(signature)} bytes")
    return name, signature


def _unbase64(text: str, what: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError(f"the {what} is not base64") from error
    if base64.b64encode(raw).decode() != text:
        raise NoteError(f"the {what} is not in canonical base64")
    return raw
