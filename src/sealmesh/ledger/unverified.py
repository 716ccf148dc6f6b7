"""Reading a statement: from bytes to a type, nothing believed.

Parsing is strict: a member that is missing, unknown or of another type refuses the document.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from cryptography import x509

from sealmesh.errors.ledger import StatementError
from sealmesh.ledger.canonical import Json, parse_json
from sealmesh.ledger.statement import (
    FORMAT,
    MAX_NONCE_BYTES,
    TIME_FORMAT,
    certificate_pem,
)
from sealmesh.pki.reading import UNREADABLE

#: Manifest (at most some MB as base64), Evidence and Endorsements (some 100 kB) fit with room.
MAX_STATEMENT_BYTES = 64 * 1024 * 1024
_MEMBERS = frozenset({
    "format", "time", "nonce", "version", "certificates", "manifest", "securityVersions", "authority",
    "ledger", "relaxations", "simulation", "evidence",
})  # fmt: skip

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedStatement:
    """A statement that was read and not checked: nothing in it may be believed yet."""

    body: Mapping[str, Json]
    time: datetime
    nonce: bytes
    version: str
    root: x509.Certificate
    intermediate: x509.Certificate
    manifest_raw: bytes
    manifest_sha256: str
    manifest_canonical_sha256: str | None
    security_versions: Mapping[str, int]
    authority: Mapping[str, Json]
    ledger_key: str
    checkpoint: str
    relaxations: tuple[str, ...]
    simulation: bool
    evidence: bytes
    endorsements: bytes


def parse_statement(raw: bytes) -> UnverifiedStatement:
    """Return the statement in `raw`, unverified.

    Raises:
        StatementError: It is not JSON of exactly this shape.
    """
    if len(raw) > MAX_STATEMENT_BYTES:
        raise StatementError(
            "the statement is too large", found=f"{len(raw)} bytes", wanted=MAX_STATEMENT_BYTES
        )
    document = _members(parse_json(raw, what="statement"), _MEMBERS, "the statement")
    if document["format"] != FORMAT:
        raise StatementError("unknown statement format", found=repr(document["format"])[:80], wanted=FORMAT)
    certificates = _members(document["certificates"], {"root", "intermediate"}, "certificates")
    manifest = _members(document["manifest"], {"raw", "sha256", "canonicalSha256"}, "manifest")
    ledger = _members(document["ledger"], {"key", "checkpoint"}, "ledger")
    evidence = _members(document["evidence"], {"raw", "endorsements"}, "evidence")
    canonical = manifest["canonicalSha256"]
    versions = _typed(document["securityVersions"], dict, "securityVersions")
    return UnverifiedStatement(
        body={name: value for name, value in document.items() if name != "evidence"},
        time=_time(_typed(document["time"], str, "time")),
        nonce=_hex(_typed(document["nonce"], str, "nonce"), "nonce"),
        version=_typed(document["version"], str, "version"),
        root=_certificate(certificates["root"], "certificates.root"),
        intermediate=_certificate(certificates["intermediate"], "certificates.intermediate"),
        manifest_raw=_unbase64(manifest["raw"], "manifest.raw"),
        manifest_sha256=_typed(manifest["sha256"], str, "manifest.sha256"),
        manifest_canonical_sha256=None
        if canonical is None
        else _typed(canonical, str, "manifest.canonicalSha256"),
        security_versions={
            _typed(name, str, "securityVersions"): _typed(number, int, "securityVersions")
            for name, number in versions.items()
        },
        authority=_typed(document["authority"], dict, "authority"),
        ledger_key=_typed(ledger["key"], str, "ledger.key"),
        checkpoint=_typed(ledger["checkpoint"], str, "ledger.checkpoint"),
        relaxations=tuple(
            _typed(item, str, "relaxations") for item in _typed(document["relaxations"], list, "relaxations")
        ),
        simulation=_typed(document["simulation"], bool, "simulation"),
        evidence=_unbase64(evidence["raw"], "evidence.raw"),
        endorsements=_unbase64(evidence["endorsements"], "evidence.endorsements"),
    )


def _members(value: Json, wanted: frozenset[str] | set[str], where: str) -> Mapping[str, Json]:
    members = _typed(value, dict, where)
    if set(members) != wanted:
        odd = ", ".join(sorted(set(members) ^ wanted))
        raise StatementError(f"{where} has other members than it must", found=odd[:200])
    return members


def _typed(value: object, kind: type[T], where: str) -> T:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise StatementError(f"{where} has another type", found=type(value).__name__, wanted=kind.__name__)
    return value


def _time(text: str) -> datetime:
    try:
        moment = datetime.strptime(text, TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise StatementError("time is not UTC in seconds", found=repr(text[:40])) from error
    if moment.strftime(TIME_FORMAT) != text:
        raise StatementError("time is not in canonical form", found=repr(text[:40]))
    return moment


def _certificate(value: Json, where: str) -> x509.Certificate:
    text = _typed(value, str, where)
    try:
        certificate = x509.load_pem_x509_certificate(text.encode())
    except UNREADABLE as error:
        raise StatementError(f"{where} is not a certificate in PEM") from error
    if certificate_pem(certificate) != text:
        raise StatementError(f"{where} is not one certificate in canonical PEM")
    return certificate


def _unbase64(value: Json, where: str) -> bytes:
    try:
        return base64.b64decode(_typed(value, str, where), validate=True)
    except (binascii.Error, ValueError) as error:
        raise StatementError(f"{where} is not base64") from error


def _hex(text: str, where: str) -> bytes:
    try:
        raw = bytes.fromhex(text)
    except ValueError as error:
        raise StatementError(f"{where} is not hex") from error
    if raw.hex() != text or len(raw) > MAX_NONCE_BYTES:
        raise StatementError(f"{where} is not lower-case hex of at most {MAX_NONCE_BYTES} bytes")
    return raw
