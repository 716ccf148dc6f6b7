"""The leaves of the ledger: every act of the control plane as canonical JSON.

A leaf says what happened, when, and to whom, with digests instead of contents. No secret, no key and no
quote is in a leaf: leaves are shown to auditors. `act` and `v` come with each, so that later kinds can be
told apart. A leaf is hashed by the store as RFC 9162 says.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.coordinator.candidate import Candidate
from sealmesh.ledger.canonical import Json, canonical_json

_VERSION = 1


def manifest_set(
    now: datetime, *, fingerprint: str, root: x509.Certificate, simulation: bool, relaxations: Sequence[str]
) -> bytes:
    """Return the leaf of a first manifest and the authority that serves under it."""
    return _leaf(
        now,
        "manifest-set",
        manifest=fingerprint,
        root=certificate_digest(root),
        simulation=simulation,
        relaxations=list(relaxations),
    )


def marble_admitted(
    now: datetime,
    *,
    candidate: Candidate,
    certificate: x509.Certificate,
    legacy: bool = False,
    renewal: bool = False,
) -> bytes:
    """Return the leaf of an admission: who, by which verdict, with which certificate.

    Args:
        now: When it was decided.
        candidate: Who came in, and by which verdict.
        certificate: What it got.
        legacy: MarbleRun's call, so the Coordinator made the key.
        renewal: Nothing was counted and no parameters were given.
    """
    return _leaf(
        now,
        "marble-renewed" if renewal else "marble-admitted",
        marble=candidate.marble_type,
        uuid=str(candidate.uuid),
        package=candidate.marble.package,
        certificate=certificate_digest(certificate),
        serial=f"{certificate.serial_number:x}",
        not_after=_time(certificate.not_valid_after_utc),
        key="coordinator" if legacy else "marble",
        verdict=candidate.admission.verdict,
    )


def secrets_read(now: datetime, *, user: str, names: Sequence[str]) -> bytes:
    """Return the leaf of secrets that a user read."""
    return _leaf(now, "secrets-read", user=user, secrets=sorted(names))


def secrets_written(now: datetime, *, user: str, names: Sequence[str]) -> bytes:
    """Return the leaf of secrets that a user uploaded."""
    return _leaf(now, "secrets-written", user=user, secrets=sorted(names))


def packages_updated(
    now: datetime, *, user: str, versions: Mapping[str, int], intermediate: x509.Certificate
) -> bytes:
    """Return the leaf of a package update and the intermediate that came with it."""
    return _leaf(
        now,
        "packages-updated",
        user=user,
        versions=dict(versions),
        intermediate=certificate_digest(intermediate),
    )


def update_act(now: datetime, act: str, *, user: str, manifest: str, missing: int) -> bytes:
    """Return the leaf of a step towards a manifest update: proposed, acknowledged, cancelled, dropped."""
    return _leaf(now, f"update-{act}", user=user, manifest=manifest, missing=missing)


def manifest_updated(now: datetime, *, fingerprint: str, intermediate: x509.Certificate) -> bytes:
    """Return the leaf of a manifest that replaced the one before."""
    return _leaf(now, "manifest-updated", manifest=fingerprint, intermediate=certificate_digest(intermediate))


def approval_taken(now: datetime, *, user: str, approval: str, approver: str, act: str, reason: str) -> bytes:
    """Return the leaf of an approval that was handed in and counts."""
    return _leaf(
        now, "approval-taken", user=user, approval=approval, approver=approver, approves=act, reason=reason
    )


def approval_refused(now: datetime, *, user: str, code: str) -> bytes:
    """Return the leaf of an approval that was handed in and does not count."""
    return _leaf(now, "approval-refused", user=user, code=code)


def act_approved(
    now: datetime, act: str, *, user: str, approvers: Sequence[str], approvals: Sequence[str]
) -> bytes:
    """Return the leaf of a reserved act that was done, and on whose approvals."""
    return _leaf(
        now, "act-approved", approves=act, user=user, approvers=list(approvers), approvals=list(approvals)
    )


def act_unapproved(now: datetime, act: str, *, user: str, missing: int) -> bytes:
    """Return the leaf of a reserved act that a user tried without enough approvals."""
    return _leaf(now, "act-unapproved", approves=act, user=user, missing=missing)


def recovered(now: datetime, *, shares: int, reason: str, remark: str) -> bytes:
    """Return the leaf of a state that its owners' shares opened: why it waited, and if it is an old copy."""
    return _leaf(
        now, "state-recovered", shares=shares, reason=reason, **({"remark": remark} if remark else {})
    )


def certificate_digest(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of the certificate's DER, in hex."""
    return sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def _leaf(now: datetime, act: str, **fields: Json) -> bytes:
    return canonical_json({"v": _VERSION, "act": act, "time": _time(now), **fields})


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
