"""What the seal directory holds, and how it is opened.

sealed_data   sealed_key                          outcome
missing       any                                 Absent: nothing was acknowledged, or it was taken away
not ours      any                                 SealedDataError
ours          missing                             NeedsRecovery
ours          sealed elsewhere, or of another     NeedsRecovery
older         newer, or the anchor is ahead       NeedsRecovery
ours          its own                             Opened
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sealmesh.adapters.sealer import Sealer, Unsealed
from sealmesh.adapters.store.database import SealRow, attach, read_seal, translated
from sealmesh.adapters.store.mooring import Adrift, Mooring
from sealmesh.adapters.store.sqlite import SqliteStore, Step
from sealmesh.adapters.store.vault import Vault
from sealmesh.errors.sealing import SealingError
from sealmesh.errors.store import RecoveryNotPossible, SealedDataError, SealerError, StateRolledBack
from sealmesh.sealing import RecoveryInfo, key_id

DATA: Final = "sealed_data"
KEY: Final = "sealed_key"


@dataclass(frozen=True, slots=True)
class Absent:
    """There is no state."""


@dataclass(frozen=True, slots=True)
class Opened:
    """There is a state, and here it is."""

    store: SqliteStore


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsRecovery:
    """There is a state, and its owners have to help.

    Attributes:
        info: What their shares are recognised by.
        reason: Why the platform could not, or must not.
    """

    info: RecoveryInfo
    reason: str


Opening = Absent | Opened | NeedsRecovery


class Opener:
    """Opens the state in a seal directory."""

    def __init__(
        self,
        directory: Path,
        *,
        sealer: Sealer,
        mooring: Mooring,
        entropy: Callable[[int], bytes],
        step: Step,
    ) -> None:
        self.data = directory / DATA
        self.key = directory / KEY
        self._sealer = sealer
        self._mooring = mooring
        self._entropy = entropy
        self._step = step

    def open(self) -> Opening:
        """Return what there is.

        Raises:
            SealedDataError: `sealed_data` is not what a Coordinator wrote.
            StoreError: It cannot be read.
            AnchorError: The anchor cannot be asked.
        """
        with translated():
            if not self.data.exists():
                return Absent()
        row, info = self._plain()
        try:
            self._matching_key(row)
            with self._mooring.held():
                return Opened(self._of_its_age())
        except (SealerError, StateRolledBack) as error:
            return NeedsRecovery(
                info=info, reason=f"{error.message}: {error.found}" if error.found else error.message
            )

    def info(self) -> RecoveryInfo | None:
        """Return how the key of the state that is there is shared; None where there is no state."""
        return self._plain()[1] if self.data.exists() else None

    def open_with(self, encryption_key: bytes, *, mooring: Mooring | None = None) -> SqliteStore:
        """Return the state, opened with the key that the owners recovered, whatever its age.

        Args:
            encryption_key: The key.
            mooring: For who writes to it; without, it is only to be read.

        Raises:
            RecoveryNotPossible: There is no state, or this is not its key.
            SealedDataError: `sealed_data` is damaged.
        """
        if not self.data.exists() or self._plain()[0].key_id != key_id(encryption_key):
            raise RecoveryNotPossible("The recovered key does not open this state")
        mooring = Adrift() if mooring is None else mooring

        def unlock(row: SealRow) -> Vault:
            return (
                self._vault(encryption_key, row) if row.key_id == key_id(encryption_key) else self.unlock(row)
            )

        return SqliteStore(self.data, unlock=unlock, mooring=mooring, step=self._step)

    def unlock(self, row: SealRow) -> Vault:
        """Return the vault for the plain row, with a key from `sealed_key`.

        Raises:
            SealerError: `sealed_key` is missing, foreign, or of another state.
            SealedDataError: The key is right and the row is not.
        """
        return self._vault(self._matching_key(row), row)

    def unsealed(self) -> Unsealed:
        """Return what is in `sealed_key`.

        Raises:
            SealerError: It is missing or foreign.
        """
        try:
            content = self.key.read_bytes()
        except FileNotFoundError as error:
            raise SealerError("`sealed_key` is missing") from error
        except OSError as error:
            raise SealerError("`sealed_key` cannot be read", found=str(error)) from error
        return self._sealer.unseal(content)

    def _of_its_age(self) -> SqliteStore:
        """Return the store, if neither `sealed_key` nor the anchor has seen a newer one.

        Raises:
            StateRolledBack: One of them has.
        """
        store = SqliteStore(self.data, unlock=self.unlock, mooring=self._mooring, step=self._step)
        try:
            head, floor = store.head(), self.unsealed().floor
            if head.version < floor:
                raise StateRolledBack(
                    "An older copy of the state was put back",
                    found=f"`sealed_data` has version {head.version}; `sealed_key` was written for {floor}",
                )
            if self._mooring.adopts(head.epoch):
                store.moor()
            else:
                self._mooring.check(head.epoch)
        except BaseException:
            store.close()
            raise
        return store

    def _matching_key(self, row: SealRow) -> bytes:
        for key in self.unsealed().keys:
            if key_id(key) == row.key_id:
                return key
        raise SealerError("`sealed_key` is of another state")

    def _vault(self, encryption_key: bytes, row: SealRow) -> Vault:
        try:
            return Vault.opened(encryption_key, row, entropy=self._entropy)
        except SealingError as error:
            raise SealedDataError("The wrapped key in `sealed_data` is damaged") from error

    def _plain(self) -> tuple[SealRow, RecoveryInfo]:
        connection = attach(self.data)
        try:
            with translated():
                row = read_seal(connection)
        finally:
            connection.close()
        try:
            return row, RecoveryInfo.from_bytes(row.recovery)
        except SealingError as error:
            raise SealedDataError("The recovery data in `sealed_data` is damaged") from error
