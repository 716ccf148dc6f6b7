"""Updates of the manifest: proposed, acknowledged, cancelled. All but reading need a user."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sealmesh.client import first_api
from sealmesh.client.answers import byte_map, bytes_member, member, texts
from sealmesh.client.exchange import V2, Exchange, b64, get, post
from sealmesh.client.first_api import FirstApi, asked, done, raw_post

_PENDING, _FIRST_PENDING = f"{V2}/update-manifest", "/update-manifest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """Where an update stands.

    Attributes:
        missing_acknowledgments: How many are still needed; 0 when the update was applied.
        missing_users: Whose acknowledgment would count.
        recovery_secrets: New encrypted shares, where the recovery keys changed. The old ones are worthless.
    """

    missing_acknowledgments: int
    missing_users: tuple[str, ...] = ()
    recovery_secrets: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def applied(self) -> bool:
        """Whether the update is in force."""
        return self.missing_acknowledgments == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingUpdate:
    """The update that waits for acknowledgments."""

    raw: bytes
    missing_users: tuple[str, ...]
    message: str


def apply_update(raw: bytes) -> Exchange[Update]:
    """Update packages, or propose a manifest and acknowledge it as the connection's user."""
    request = post(f"{V2}/update", {"manifest": b64(raw)})
    return _update((yield from first_api.updated(request, "/update", raw)))


def acknowledge_update(raw: bytes) -> Exchange[Update]:
    """Acknowledge the pending update, which must be exactly `raw`."""
    first = FirstApi(request=raw_post(_FIRST_PENDING, raw), members=first_api.acknowledged)
    return _update((yield from asked(post(_PENDING, {"manifest": b64(raw)}), first)))


def read_pending_update() -> Exchange[PendingUpdate]:
    """Return the pending update; anybody may.

    Raises:
        NothingThere: None is pending.
    """
    members = yield from asked(get(_PENDING), FirstApi(request=get(_FIRST_PENDING), members=dict))
    return PendingUpdate(
        raw=bytes_member(members, "manifest"),
        missing_users=texts(members, "missingUsers"),
        message=str(members.get("message") or ""),
    )


def cancel_update() -> Exchange[None]:
    """Drop the pending update.

    Raises:
        NothingThere: None is pending.
    """
    yield from done(post(f"{V2}/update-cancel"), post("/update-cancel"))


def _update(members: Mapping[str, Any]) -> Update:
    return Update(
        missing_acknowledgments=member(members, "missingAcknowledgments", int),
        missing_users=texts(members, "missingUsers"),
        recovery_secrets=byte_map(members, "recoverySecrets"),
    )
