"""The manifest in force, and the log of its changes."""

from collections.abc import Mapping
from dataclasses import dataclass

from sealmesh.client import first_api
from sealmesh.client.answers import byte_map, bytes_member, member, texts
from sealmesh.client.exchange import V2, Exchange, b64, get, post
from sealmesh.client.first_api import FirstApi, asked, raw_post


@dataclass(frozen=True, slots=True, kw_only=True)
class SetManifest:
    """The manifest as it was set.

    Attributes:
        raw: Its bytes.
        fingerprint: The hex SHA-256 that the Coordinator gives for it.
        signature: ECDSA (ASN.1) by the root key over SHA-256 of the bytes.
    """

    raw: bytes
    fingerprint: str
    signature: bytes = b""


def read_manifest() -> Exchange[SetManifest]:
    """Return the manifest in force."""
    members = yield from asked(
        get(f"{V2}/manifest"), FirstApi(request=get("/manifest"), members=first_api.manifest)
    )
    return SetManifest(
        raw=bytes_member(members, "manifest"),
        fingerprint=member(members, "manifestFingerprint", str),
        signature=bytes_member(members, "manifestSignatureRootECDSA")
        if "manifestSignatureRootECDSA" in members
        else b"",
    )


def set_manifest(raw: bytes) -> Exchange[Mapping[str, bytes]]:
    """Set the first manifest; return the encrypted recovery secrets by the recovery keys' names."""
    first = FirstApi(request=raw_post("/manifest", raw), members=first_api.recovery_secrets)
    members = yield from asked(post(f"{V2}/manifest", {"manifest": b64(raw)}), first)
    return byte_map(members, "RecoverySecrets")


def read_update_log() -> Exchange[tuple[str, ...]]:
    """Return the lines of the update log, a JSON object each."""
    first = FirstApi(request=get("/update"), members=first_api.update_log)
    return texts((yield from asked(get(f"{V2}/update"), first)), "updateLog")
