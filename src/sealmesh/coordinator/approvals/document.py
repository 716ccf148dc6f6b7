"""An approval as a file: what was approved, and one signature over it.

The signature is over a label and the canonical JSON (RFC 8785) of the member `approval`. So nothing else that
a key signs can be taken for an approval, and blanks or the order of keys in the file mean nothing.
"""

import json
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sealmesh.coordinator.approvals.mesh import ManifestEpoch, Mesh
from sealmesh.errors.governance import ApprovalFormatError
from sealmesh.errors.ledger import StatementError
from sealmesh.ledger.canonical import Json, canonical_json, parse_json
from sealmesh.manifest import GovernedAct

FORMAT = "sealmesh-approval-v1"
LABEL = b"sealmesh approval v1\n"
MAX_APPROVAL_BYTES = 8192
MAX_REASON_CHARACTERS = 500
ID_BYTES = 16
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"

_HEX = re.compile(r"[0-9a-f]+\Z")
_MEMBERS = frozenset({"format", "id", "mesh", "manifest", "act", "subject", "approver", "reason", "notAfter"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One approver's consent to one act on one subject.

    Attributes:
        id: 16 random bytes in hex; used up with the act.
        manifest: None for acts on a state that cannot be read (`Recover`, `Reset`).
        subject: 32 bytes in hex, see `subject`.
        not_after: Aware, whole seconds.
    """

    id: str
    mesh: Mesh
    manifest: ManifestEpoch | None
    act: GovernedAct
    subject: str
    approver: str
    reason: str
    not_after: datetime

    def members(self) -> dict[str, Json]:
        """Return the document that is signed."""
        manifest = self.manifest
        return {
            "format": FORMAT,
            "id": self.id,
            "mesh": {"trustDomain": self.mesh.trust_domain, "root": self.mesh.root},
            "manifest": None
            if manifest is None
            else {"fingerprint": manifest.fingerprint, "epoch": manifest.number},
            "act": str(self.act),
            "subject": self.subject,
            "approver": self.approver,
            "reason": self.reason,
            "notAfter": self.not_after.astimezone(UTC).strftime(TIME_FORMAT),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedApproval:
    """An approval with a signature that nobody has checked yet.

    Attributes:
        key: SHA-256 of the signer's SubjectPublicKeyInfo, in hex.
    """

    approval: Approval
    key: str
    signature: bytes


def signed_message(approval: Approval) -> bytes:
    """Return the bytes that the signature is over."""
    return LABEL + canonical_json(approval.members())


def encode_approval(signed: SignedApproval) -> bytes:
    """Return the file."""
    document = {
        "approval": signed.approval.members(),
        "signature": {"key": signed.key, "value": b64encode(signed.signature).decode()},
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def parse_approval(raw: bytes) -> SignedApproval:
    """Read a file; nothing in it is verified.

    Raises:
        ApprovalFormatError: It is no approval: too large, a member missing, unknown, or of another form.
    """
    if len(raw) > MAX_APPROVAL_BYTES:
        raise ApprovalFormatError(
            "the file is too large for an approval",
            found=f"{len(raw)} bytes",
            wanted=f"at most {MAX_APPROVAL_BYTES}",
        )
    try:
        document = _object(parse_json(raw, what="approval"), {"approval", "signature"}, "the file")
    except StatementError as error:
        raise ApprovalFormatError("the file is no approval", found=error.message) from error
    signature = _object(document["signature"], {"key", "value"}, "signature")
    return SignedApproval(
        approval=_approval(_object(document["approval"], _MEMBERS, "approval")),
        key=_hex(signature, "key", 32),
        signature=_signature(_text(signature, "value")),
    )


def check_reason(reason: str) -> None:
    """Accept a reason that can be read in a log.

    Raises:
        ApprovalFormatError: It is empty, too long, or has control characters.
    """
    if not reason.strip() or len(reason) > MAX_REASON_CHARACTERS or not reason.isprintable():
        raise ApprovalFormatError(
            "the reason cannot be used",
            found=f"{len(reason)} characters",
            wanted=f"1 to {MAX_REASON_CHARACTERS} printable characters in one line",
        )


def _approval(members: Mapping[str, Json]) -> Approval:
    if members["format"] != FORMAT:
        raise ApprovalFormatError("an approval of another version", wanted=FORMAT)
    mesh = _object(members["mesh"], {"trustDomain", "root"}, "mesh")
    reason = _text(members, "reason")
    check_reason(reason)
    return Approval(
        id=_hex(members, "id", ID_BYTES),
        mesh=Mesh(trust_domain=_text(mesh, "trustDomain"), root=_hex(mesh, "root", 32)),
        manifest=None if members["manifest"] is None else _epoch(members["manifest"]),
        act=_act(_text(members, "act")),
        subject=_hex(members, "subject", 32),
        approver=_text(members, "approver"),
        reason=reason,
        not_after=_time(_text(members, "notAfter")),
    )


def _epoch(value: Json) -> ManifestEpoch:
    members = _object(value, {"fingerprint", "epoch"}, "manifest")
    number = members["epoch"]
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise ApprovalFormatError("`epoch` is not a number from 1")
    return ManifestEpoch(fingerprint=_hex(members, "fingerprint", 32), number=number)


def _act(name: str) -> GovernedAct:
    try:
        return GovernedAct(name)
    except ValueError:
        raise ApprovalFormatError("no such act", found=name[:40], wanted=", ".join(GovernedAct)) from None


def _time(text: str) -> datetime:
    try:
        time = datetime.strptime(text, TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise ApprovalFormatError("`notAfter` is no time", wanted="2026-01-31T12:00:00Z") from None
    if time.strftime(TIME_FORMAT) != text:  # strptime takes 2026-1-31 too
        raise ApprovalFormatError("`notAfter` is no time", wanted="2026-01-31T12:00:00Z")
    return time


def _signature(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (Base64Error, ValueError):
        raise ApprovalFormatError("the signature is not base64") from None


def _object(value: Json, members: "frozenset[str] | set[str]", what: str) -> Mapping[str, Json]:
    if not isinstance(value, Mapping) or set(value) != members:
        raise ApprovalFormatError(f"{what} has other members", wanted=", ".join(sorted(members)))
    return value


def _text(members: Mapping[str, Json], name: str) -> str:
    value = members[name]
    if not isinstance(value, str):
        raise ApprovalFormatError(f"`{name}` is not a text")
    return value


def _hex(members: Mapping[str, Json], name: str, count: int) -> str:
    text = _text(members, name)
    if len(text) != 2 * count or not _HEX.match(text):
        raise ApprovalFormatError(f"`{name}` is not {count} bytes in lower-case hex")
    return text
