"""The one manifest update that waits for acknowledgments."""

import json
from dataclasses import dataclass

from sealmesh.coordinator import places
from sealmesh.coordinator.approvals import Standing, standing, update_subject
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.state import State
from sealmesh.errors.coordinator import NothingPending, StateCorrupt
from sealmesh.manifest import GovernedAct


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """The proposed bytes, and who acknowledged them so far; the proposer is the first."""

    raw: bytes
    users: tuple[str, ...]

    def with_user(self, user: str) -> "Pending":
        """Return the same with one more acknowledgment; a repeated one counts once."""
        return self if user in self.users else Pending(raw=self.raw, users=(*self.users, user))

    def to_bytes(self) -> bytes:
        """Return the stored form: one line of JSON, then the manifest as it was sent."""
        return json.dumps({"users": self.users}).encode() + b"\n" + self.raw

    @classmethod
    def from_bytes(cls, stored: bytes) -> "Pending":
        """Read what `to_bytes` wrote.

        Raises:
            StateCorrupt: Anything else.
        """
        head, _, raw = stored.partition(b"\n")
        try:
            users = json.loads(head)["users"]
            if not isinstance(users, list) or not all(isinstance(user, str) for user in users):
                raise TypeError("no list of names")
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise StateCorrupt("the update that waits cannot be read") from error
        return cls(raw=raw, users=tuple(users))


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What an update still needs.

    Attributes:
        users: Those who could still acknowledge it, sorted; may be more than `count`.
    """

    count: int
    users: tuple[str, ...]


def find_pending(state: State) -> Pending | None:
    """Return the update that waits, if there is one."""
    stored = state.shelves.value(places.PENDING)
    return None if stored is None else Pending.from_bytes(stored)


def require_pending(state: State) -> Pending:
    """Return the update that waits.

    Raises:
        NothingPending: There is none.
    """
    pending = find_pending(state)
    if pending is None:
        raise NothingPending("there is no update that waits for acknowledgments")
    return pending


def missing(pending: Pending, state: State, context: Context) -> Missing:
    """Return what `pending` still needs under the manifest in force: acknowledgments and approvals."""
    manifest = state.running.manifest
    eligible = {
        name
        for name, user in manifest.users.items()
        if any(manifest.roles[role].may_update_manifest for role in user.roles)
    }
    given = eligible.intersection(pending.users)
    needed = max(0, (manifest.config.update_threshold or len(eligible)) - len(given))
    approvals = update_standing(pending, state, context)
    could = set(approvals.asked) if approvals.missing else set()
    if needed or not approvals.missing:
        could |= eligible - given
    return Missing(count=needed + approvals.missing, users=tuple(sorted(could)))


def update_standing(pending: Pending, state: State, context: Context) -> Standing:
    """Return how far the update is approved, where the manifest reserves that."""
    return standing(GovernedAct.UPDATE_MANIFEST, update_subject(pending.raw), state, context)
