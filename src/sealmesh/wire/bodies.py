"""Request bodies of v1 and v2, read as Go's `encoding/json` reads them (COMPAT section 3)."""

import json
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography import x509

from sealmesh.errors.manifest import JsonError
from sealmesh.errors.transport import BodyRefused
from sealmesh.pki.reading import UNREADABLE
from sealmesh.wire.gojson import BYTES, TEXT, UINT64, FieldKind, MapKind, ObjectKind, Record, read_object

#: Only so much of a body of `recover` is read; a longer one is thus cut and no JSON any more.
RECOVER_BYTES = 20480

_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}\Z")
_UPLOADS = MapKind(ObjectKind({"Cert": TEXT, "Private": BYTES, "Key": BYTES}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One secret that a user sends. Empty where the field was empty, null or absent: Go cannot tell."""

    certificate: bytes
    private: bytes
    key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryShare:
    """A recovery secret and the signature of its owner."""

    secret: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterStep:
    """A monotonic counter's name and the value to raise it to."""

    name: str
    value: int


def parse_manifest_body(raw: bytes) -> bytes:
    """Return the manifest's raw bytes out of `{"manifest": base64}`.

    Raises:
        BodyRefused: The body has not this form; likewise for all readers here.
    """
    return _read(raw, {"manifest": BYTES}).bytes("manifest")


def parse_recover_body(raw: bytes) -> RecoveryShare:
    """Return secret and signature out of a body of `recover`."""
    found = _read(raw[:RECOVER_BYTES], {"recoverySecret": BYTES, "recoverySecretSignature": BYTES})
    return RecoveryShare(
        secret=found.bytes("recoverySecret"), signature=found.bytes("recoverySecretSignature")
    )


def parse_drill_body(raw: bytes) -> Mapping[str, RecoveryShare]:
    """Return the shares out of `{"shares": {label: {"recoverySecret", "recoverySecretSignature"}}}`."""
    kind = MapKind(ObjectKind({"recoverySecret": BYTES, "recoverySecretSignature": BYTES}))
    return {
        label: RecoveryShare(
            secret=item.bytes("recoverySecret"), signature=item.bytes("recoverySecretSignature")
        )
        for label, item in _read(raw, {"shares": kind}).records("shares").items()
    }


def parse_quote_body(raw: bytes) -> bytes:
    """Return the quote out of a body of `sign-quote`."""
    return _read(raw, {"sgxQuote": BYTES}).bytes("sgxQuote")


def parse_counter_body(raw: bytes) -> CounterStep:
    """Return name and value out of a body of `monotonic-counter`."""
    found = _read(raw, {"name": TEXT, "value": UINT64})
    return CounterStep(name=found.text("name"), value=found.unsigned("value"))


def parse_approval_body(raw: bytes) -> bytes:
    """Return the approval's file out of `{"approval": base64}`."""
    return _read(raw, {"approval": BYTES}).bytes("approval")


def parse_uploads_v2(raw: bytes) -> Mapping[str, Upload]:
    """Return the secrets out of `{"secrets": {name: UPLOAD}}`."""
    return _uploads(_read(raw, {"secrets": _UPLOADS}))


def parse_uploads_v1(raw: bytes) -> Mapping[str, Upload]:
    """Return the secrets out of `{name: UPLOAD}`."""
    return _uploads(_read(b'{"secrets":' + _first_value(raw) + b"}", {"secrets": _UPLOADS}))


def _read(raw: bytes, fields: Mapping[str, FieldKind]) -> Record:
    try:
        return read_object(raw, fields)
    except JsonError as error:
        raise BodyRefused(f"the body cannot be read: {error}") from error


def _first_value(raw: bytes) -> bytes:
    """Return the first JSON value of `raw`; what follows is ignored, as Go does."""
    text = raw.decode("utf-8", "replace").lstrip(" \t\r\n")
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError) as error:
        raise BodyRefused("the body is not JSON") from error
    return text[:end].encode("utf-8", "replace")


def _uploads(found: Record) -> Mapping[str, Upload]:
    return {
        name: Upload(
            certificate=_certificate(item.text("Cert")), private=item.bytes("Private"), key=item.bytes("Key")
        )
        for name, item in found.records("secrets").items()
    }


def _certificate(text: str) -> bytes:
    """Return a certificate's DER. What is not base64 counts as none, what is no certificate is refused."""
    packed = text.replace("\n", "").replace("\r", "")
    if len(packed) % 4 or not _BASE64.match(packed):
        return b""
    der = b64decode(packed)
    if der:
        try:
            x509.load_der_x509_certificate(der)
        except UNREADABLE as error:
            raise BodyRefused("Cert is not a DER certificate") from error
    return der
