"""MarbleRun's second REST API: the `data` of its answers (COMPAT section 4)."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Protocol

from sealmesh.wire.envelope import Json


class Secret(Protocol):
    """One secret as its readers see it."""

    @property
    def type(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def shared(self) -> bool: ...
    @property
    def user_defined(self) -> bool: ...
    @property
    def certificate(self) -> bytes | None: ...
    @property
    def valid_for(self) -> int: ...
    @property
    def private(self) -> bytes | None: ...
    @property
    def public(self) -> bytes | None: ...


def status(*, code: int, message: str) -> Json:
    """Return the phase."""
    return {"code": code, "message": message}


def manifest(*, raw: bytes, fingerprint: str, signature: bytes) -> Json:
    """Return the manifest in force."""
    return {
        "manifestSignatureRootECDSA": _b64(signature),
        "manifestFingerprint": fingerprint,
        "manifest": _b64(raw),
    }


def manifest_set(recovery_secrets: Mapping[str, bytes]) -> Json:
    """Return the recovery secrets: an object always, with a capital R."""
    return {"RecoverySecrets": _shares(recovery_secrets)}


def quote(*, chain_pem: str, evidence: bytes | None) -> Json:
    """Return chain and Evidence."""
    return {"cert": chain_pem, "quote": None if evidence is None else _b64(evidence)}


def update_log(lines: Sequence[str]) -> Json:
    """Return the log's lines."""
    return {"updateLog": list(lines)}


def updated(
    *,
    missing: int,
    missing_users: Sequence[str],
    recovery_secrets: Mapping[str, bytes] | None,
    message: str | None = None,
) -> Json:
    """Return where an update stands; `recoverySecrets` only when the recovery keys changed."""
    data: dict[str, Json] = {} if message is None else {"message": message}
    data["missingUsers"] = list(missing_users) if missing else None
    data["missingAcknowledgments"] = missing
    if recovery_secrets is not None:
        data["recoverySecrets"] = _shares(recovery_secrets)
    return data


def pending_update(*, raw: bytes, missing_users: Sequence[str], message: str) -> Json:
    """Return the update that waits for acknowledgments."""
    return {"manifest": _b64(raw), "message": message, "missingUsers": list(missing_users)}


def secrets(found: Mapping[str, Secret]) -> Mapping[str, Json]:
    """Return the secrets by name; v2 puts them under `secrets`, v1 does not."""
    return {name: _secret(secret) for name, secret in found.items()}


def recovered(*, remaining: int, remark: str = "") -> Json:
    """Return how many recovery secrets are missing, and what the owners must know of the state."""
    if remaining == 0:
        return {"remaining": 0, "message": f"Recovery successful. {remark}".rstrip()}
    return {"remaining": remaining, "message": f"Secret was accepted. Still missing: {remaining}."}


def recovery_key(spki: bytes) -> Json:
    """Return the ephemeral key, as SubjectPublicKeyInfo DER."""
    return {"algorithm": "RSA", "ephemeralPublicKey": _b64(spki)}


def quote_signed(*, tcb_status: str, signature: bytes) -> Json:
    """Return the verdict on a quote and the signature over both."""
    return {"tcbStatus": tcb_status, "verificationSignature": _b64(signature)}


def _secret(secret: Secret) -> Json:
    return {
        "Type": secret.type,
        "Size": secret.size,
        "Shared": secret.shared,
        "UserDefined": secret.user_defined,
        "Cert": _maybe(secret.certificate),
        "ValidFor": secret.valid_for,
        "Private": _maybe(secret.private),
        "Public": _maybe(secret.public),
    }


def _shares(secrets: Mapping[str, bytes]) -> Mapping[str, Json]:
    return {name: _b64(secret) for name, secret in secrets.items()}


def _maybe(data: bytes | None) -> str | None:
    return None if data is None else _b64(data)


def _b64(data: bytes) -> str:
    return b64encode(data).decode("ascii")
