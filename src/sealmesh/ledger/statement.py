"""The application statement: one document by which a stranger verifies the whole application.

Invariants:
- The report data of its Evidence is the SHA-256 over everything but the Evidence, so the hardware
  vouches for every other member. Nothing outside that hash is believed.
- The hash starts with a label, so that no report data of `/quote` (SHA-256 over a certificate and a
  nonce) can stand in for it.

Reading one is in `unverified`, checking it in `verification`.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.errors.ledger import StatementError
from sealmesh.ledger.authority import summarize_authority
from sealmesh.ledger.canonical import Json, canonical_json, canonical_sha256, parse_json
from sealmesh.manifest import Manifest

FORMAT = "sealmesh-statement-v1"
#: Put before the canonical document when it is hashed into the report data.
LABEL = b"sealmesh statement v1\n"
REPORT_DATA_BYTES = 64
#: A nonce is hashed, not stored; more than this has no use and could only fill the document.
MAX_NONCE_BYTES = 64
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class StatementDraft:
    """A statement that waits for its Evidence.

    Attributes:
        body: Every member but `evidence`.
    """

    body: Mapping[str, Json]

    @property
    def report_data(self) -> bytes:
        """The 64 bytes that the Evidence must carry."""
        return statement_report_data(self.body)

    def complete(self, *, evidence: bytes, endorsements: bytes) -> bytes:
        """Return the document: the body with the Evidence made over `report_data` and its collateral."""
        members = {"raw": _base64(evidence), "endorsements": _base64(endorsements)}
        return json.dumps({**self.body, "evidence": members}, ensure_ascii=False, indent=1).encode() + b"\n"


def statement_report_data(body: Mapping[str, Json]) -> bytes:
    """Return SHA-256(label || canonical JSON of `body`), padded with zeros to 64 bytes."""
    return hashlib.sha256(LABEL + canonical_json(body)).digest().ljust(REPORT_DATA_BYTES, b"\x00")


def draft_statement(
    *,
    now: datetime,
    nonce: bytes,
    version: str,
    root: x509.Certificate,
    intermediate: x509.Certificate,
    manifest_raw: bytes,
    manifest: Manifest,
    security_versions: Mapping[str, int],
    ledger_key: str,
    checkpoint: str,
    relaxations: Sequence[str],
    simulation: bool,
) -> StatementDraft:
    """Return the statement's body; make Evidence over its `report_data`, then `complete` it.

    Args:
        now: The time it is made at, aware.
        nonce: What the verifier sent, at most 64 bytes; empty if nothing.
        version: The Coordinator's version.
        root: The CA root certificate, which is also the client API's TLS certificate.
        intermediate: The present intermediate.
        manifest_raw: The manifest's bytes as they were set.
        manifest: The same, parsed.
        security_versions: Package name to lowest version where updates raised it.
        ledger_key: The log's key, `NoteKey.text()`.
        checkpoint: The signed note of the log's state.
        relaxations: Those in force.
        simulation: Whether Evidence under a simulated root counts in this mesh.

    Raises:
        StatementError: The nonce is too long.
    """
    if len(nonce) > MAX_NONCE_BYTES:
        raise StatementError(
            "the nonce is too long",
            code="nonce",
            found=f"{len(nonce)} bytes",
            wanted=f"at most {MAX_NONCE_BYTES}",
            remedy="Send 16 to 64 random bytes.",
        )
    return StatementDraft(
        {
            "format": FORMAT,
            "time": now.astimezone(UTC).strftime(TIME_FORMAT),
            "nonce": nonce.hex(),
            "version": version,
            "certificates": {"root": certificate_pem(root), "intermediate": certificate_pem(intermediate)},
            "manifest": {
                "raw": _base64(manifest_raw),
                "sha256": hashlib.sha256(manifest_raw).hexdigest(),
                "canonicalSha256": canonical_manifest_sha256(manifest_raw),
            },
            "securityVersions": dict(security_versions),
            "authority": summarize_authority(manifest),
            "ledger": {"key": ledger_key, "checkpoint": checkpoint},
            "relaxations": sorted(relaxations),
            "simulation": simulation,
        }
    )


def canonical_manifest_sha256(raw: bytes) -> str | None:
    """Return the hex SHA-256 of the manifest's canonical JSON; blanks and order do not change it.

    None where it has no such form: a key twice in one object, or a fraction.
    """
    try:
        return canonical_sha256(parse_json(raw, what="manifest")).hex()
    except StatementError:
        return None


def certificate_pem(certificate: x509.Certificate) -> str:
    """Return `certificate` as PEM, as statements carry it."""
    return certificate.public_bytes(Encoding.PEM).decode()


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
