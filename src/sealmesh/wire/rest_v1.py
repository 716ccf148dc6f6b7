"""MarbleRun's first REST API: the `data` of its answers (COMPAT section 4)."""

from base64 import b64encode
from collections.abc import Mapping, Sequence

from sealmesh.wire.envelope import Json

#: Before a manifest: not an error on v1.
NO_MANIFEST: Json = {"ManifestSignatureRootECDSA": None, "ManifestSignature": "", "Manifest": None}


def status(*, code: int, message: str) -> Json:
    """Return the phase."""
    return {"StatusCode": code, "StatusMessage": message}


def manifest(*, raw: bytes, fingerprint: str, signature: bytes) -> Json:
    """Return the manifest in force."""
    return {
        "ManifestSignatureRootECDSA": _b64(signature),
        "ManifestSignature": fingerprint,
        "Manifest": _b64(raw),
    }


def manifest_set(recovery_secrets: Mapping[str, bytes]) -> Json:
    """Return the recovery secrets, or null without recovery keys."""
    if not recovery_secrets:
        return None
    return {"RecoverySecrets": {name: _b64(secret) for name, secret in recovery_secrets.items()}}


def quote(*, chain_pem: str, evidence: bytes | None) -> Json:
    """Return chain and Evidence."""
    return {"Cert": chain_pem, "Quote": None if evidence is None else _b64(evidence)}


def update_log(lines: Sequence[str]) -> Json:
    """Return the log as one text, a newline after each line."""
    return "".join(line + "\n" for line in lines)


def acknowledged(missing: int) -> str:
    """Return the sentence that MarbleRun's client library reads (COMPAT section 14)."""
    if missing == 0:
        return "All users have acknowledged the update manifest. Update successfully applied"
    if missing == 1:
        return "1 user still needs to acknowledge the update manifest"
    return f"{missing} users still need to acknowledge the update manifest"


def _b64(data: bytes) -> str:
    return b64encode(data).decode("ascii")
