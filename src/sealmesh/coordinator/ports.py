"""What the Coordinator needs from the world, as protocols.

Everything here is synchronous; an adapter translates foreign exceptions into `SealmeshError`s at its
boundary. One contract suite per port runs against every adapter (`tests/contract`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from sealmesh.pki.keys import KeyFactory

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from sealmesh.attestation import UnverifiedEvidence
    from sealmesh.manifest import SealMode
    from sealmesh.sealing import RecoveryInfo

__all__ = [
    "Attester",
    "Change",
    "Clock",
    "Endorser",
    "Entropy",
    "Founded",
    "KeyFactory",
    "Record",
    "SealPlan",
    "Seat",
    "Snapshot",
    "Store",
    "Waiting",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record of the store. `value` is None where the record was deleted at `version`."""

    key: str
    version: int
    value: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A consistent view: all records changed after the version that was asked for."""

    version: int
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one decision writes, all or nothing.

    Attributes:
        puts: Records to write; None deletes.
        expects: For each record the decision rests on, the version it was read at; 0 means absent.
        appends: Leaves for the ledger, in order. Appending never conflicts.
    """

    puts: Mapping[str, bytes | None] = field(default_factory=dict)
    expects: Mapping[str, int] = field(default_factory=dict)
    appends: tuple[bytes, ...] = ()


class Store(Protocol):
    """Durable, sealed records with compare-and-swap, and the ledger's leaves."""

    def load(self, since: int = 0) -> Snapshot:
        """Return all records changed after version `since`, and the version this view is of.

        With `since` 0 deleted records are left out.
        """
        ...

    def version(self) -> int:
        """Return the version of the last commit by anybody; cheap enough for every request."""
        ...

    def commit(self, change: Change) -> int:
        """Write `change` atomically and durably, return the new version.

        Raises:
            StoreConflict: A record in `expects` has another version; nothing was written.
            StoreError: The store cannot be written.
        """
        ...

    def leaf_count(self) -> int:
        """Return how many ledger leaves there are."""
        ...

    def leaves(self, start: int, stop: int) -> list[bytes]:
        """Return the ledger leaves `start` (inclusive) to `stop` (exclusive)."""
        ...

    def frontier(self) -> tuple[int, tuple[bytes, ...]]:
        """Return the leaf count and the roots of the perfect subtrees, largest first (RFC 9162, 2.1)."""
        ...

    def close(self) -> None:
        """Release files and threads."""
        ...


class Clock(Protocol):
    """The time, as an aware UTC datetime."""

    def __call__(self) -> datetime: ...


class Entropy(Protocol):
    """Cryptographically secure random bytes."""

    def __call__(self, count: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SealPlan:
    """How a new state is sealed: what the manifest says about the place of its key and its recovery.

    Attributes:
        guard: Kept in plain beside the state as `RecoveryInfo.guard`.
    """

    mode: SealMode
    recovery_keys: Mapping[str, RSAPublicKey] = field(default_factory=dict)
    recovery_threshold: int = 0
    guard: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Founded:
    """A state that was just created, and one encrypted recovery share for each recovery key."""

    store: Store
    recovery_secrets: Mapping[str, bytes] = field(default_factory=dict)


class Waiting(Protocol):
    """A state that waits for its owners."""

    @property
    def info(self) -> RecoveryInfo:
        """What their shares are recognised by."""
        ...

    @property
    def reason(self) -> str:
        """Why the platform could not open it."""
        ...


class Seat(Protocol):
    """The place where a Coordinator's state is, or will be."""

    def store(self) -> Store | None:
        """Return the open store, or None while there is none or it cannot be unsealed.

        Asked before every request, so it is cheap; it notices a store that another worker created.
        """
        ...

    def needs_recovery(self) -> bool:
        """Tell whether there is a state whose key cannot be unsealed here."""
        ...

    def found(self, change: Change, plan: SealPlan) -> Founded:
        """Create the state with `change` as its first commit, durably; replaces one that waits for recovery.

        Raises:
            StoreConflict: Somebody else created one in between.
            StoreError: It cannot be written.
        """
        ...

    def rekey(self, change: Change, plan: SealPlan) -> Founded:
        """Commit `change` under new keys and new shares; the old shares are worthless then.

        Raises:
            StoreConflict: A record in `expects` has another version; nothing was written.
            StoreError: It cannot be written.
        """
        ...

    def recovery(self) -> Waiting | None:
        """Return what waits for recovery; None when nothing does."""
        ...

    def recovery_scheme(self) -> RecoveryInfo | None:
        """Return how the key of the state that is there is shared; None where there is none on a disk."""
        ...

    def age(self, encryption_key: bytes) -> str:
        """Return why the state is not the newest that was there, as far as that can be told; else nothing.

        Raises:
            RecoveryNotPossible: This is not its key.
        """
        ...

    def peek(self, encryption_key: bytes) -> Store:
        """Return the waiting state, opened with a recovered key, for the caller to close; changes nothing.

        Raises:
            RecoveryNotPossible: This is not its key.
        """
        ...

    def unlock(self, encryption_key: bytes) -> Store:
        """End the recovery: seal the key to this platform, and return the open store.

        Raises:
            RecoveryNotPossible: This is not its key.
            StoreError: The key cannot be sealed.
        """
        ...


class Attester(Protocol):
    """Makes Evidence of this Coordinator."""

    def evidence(self, report_data: bytes) -> bytes:
        """Return Evidence over 64 bytes of report data.

        Raises:
            AttestationError: The platform cannot give Evidence.
        """
        ...

    def endorsements(self, evidence: bytes) -> bytes:
        """Return the collateral that goes with Evidence made here, fresh now.

        Empty where the Evidence brings all there is, or where nobody here has any.
        """
        ...

    @property
    def simulated(self) -> bool:
        """Whether the TEE is simulated."""
        ...

    def describe(self) -> str:
        """Return one phrase for people; it contains "simulated" for the simulated platform."""
        ...


class Endorser(Protocol):
    """Knows the collateral for Evidence of others."""

    def collateral_for(self, evidence: UnverifiedEvidence) -> bytes:
        """Return the collateral (JSON) for this Evidence.

        Raises:
            EndorserError: There is none.
        """
        ...
