"""What the seal directory holds, and how it is opened.

sealed_data   sealed_key                          outcome
missing       any                                 Absent: nothing was acknowledged, or it was taken away
not ours      any                                 SealedDataError
ours          missing                             NeedsRecovery
ours          sealed elsewhere, or of another     NeedsRecovery
ours          its own                             Opened
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sealmesh.adapters.sealer import PlatformSealer
from sealmesh.adapters.store.database import SealRow, attach, read_seal, translated
from sealmesh.adapters.store.sqlite import SqliteStore, Step
from sealmesh.adapters.store.vault import Vault
from sealmesh.errors.sealing import SealingError
from sealmesh.errors.store import RecoveryNotPossible, SealedDataError, SealerError
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
        reason: Why the platform could not.
    """

    info: RecoveryInfo
    reason: str


Opening = Absent | Opened | NeedsRecovery


class Opener:
    """Opens the state in a seal directory."""

    def __init__(
        self, directory: Path, *, sealer: PlatformSealer, entropy: Callable[[int], bytes], step: Step
    ) -> None:
        self.data = directory / DATA
        self.key = directory / KEY
        self._sealer = sealer
        self._entropy = entropy
        self._step = step

    def open(self) -> Opening:
        """Return what there is.

        Raises:
            SealedDataError: `sealed_data` is not what a Coordinator wrote.
            StoreError: It cannot be read.
        """
        with translated():
            if not self.data.exists():
                return Absent()
        row, info = self._plain()
        try:
            self._matching_key(row)
        except SealerError as error:
            return NeedsRecovery(
                info=info, reason=f"{error.message}: {error.found}" if error.found else error.message
            )
        return Opened(SqliteStore(self.data, unlock=self.unlock, step=self._step))

    def open_with(self, encryption_key: bytes) -> SqliteStore:
        """Return the state, opened with the key that the owners recovered.

        Raises:
            RecoveryNotPossible: There is no state, or this is not its key.
            SealedDataError: `sealed_data` is damaged.
        """
        if not self.data.exists() or self._plain()[0].key_id != key_id(encryption_key):
            raise RecoveryNotPossible("The recovered key does not open this state")

        def unlock(row: SealRow) -> Vault:
            return (
                self._vault(encryption_key, row) if row.key_id == key_id(encryption_key) else self.unlock(row)
            )

        return SqliteStore(self.data, unlock=unlock, step=self._step)

    def unlock(self, row: SealRow) -> Vault:
        """Return the vault for the plain row, with a key from `sealed_key`.

        Raises:
            SealerError: `sealed_key` is missing, foreign, or of another state.
            SealedDataError: The key is right and the row is not.
        """
        return self._vault(self._matching_key(row), row)

    def sealed_keys(self) -> tuple[bytes, ...]:
        """Return the keys in `sealed_key`; none where it is missing or foreign."""
        try:
            return self._sealer.unseal(self.key.read_bytes())
        except (SealerError, OSError):
            return ()

    def _matching_key(self, row: SealRow) -> bytes:
        try:
            content = self.key.read_bytes()
        except FileNotFoundError as error:
            raise SealerError("`sealed_key` is missing") from error
        except OSError as error:
            raise SealerError("`sealed_key` cannot be read", found=str(error)) from error
        for key in self._sealer.unseal(content):
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
