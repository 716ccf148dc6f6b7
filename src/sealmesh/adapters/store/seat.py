"""The seal directory as the Coordinator's seat: found a state, open it, recover it, give it new keys.

Order of writes, and why a kill between any two loses nothing that was acknowledged:

- *Founding.* The whole new database is made under another name, then `sealed_key` is put in place, then the
  database is renamed. Until the last step there is no state (or still the old one, which waited for
  recovery and can still be recovered); after it both files are there. Acknowledged is what came after.
- *New keys.* First `sealed_key` gets the new key and keeps the old one, then the database changes keys in
  one transaction, then `sealed_key` loses the old one. Whatever the database says, its key is there. All
  three happen while no other process can write.
- *Recovery.* `sealed_key` is written anew; the database only where it has to be bound to an anchor.
- *Opening.* `sealed_key` is written anew where it was written for an older version of state or software.

Nothing is written before the first commit, and nothing ever with `SealMode` `Disabled`.
"""

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from sealmesh.adapters.sealer import Sealer
from sealmesh.adapters.store import database
from sealmesh.adapters.store.database import SealRow
from sealmesh.adapters.store.draft import Draft
from sealmesh.adapters.store.files import (
    link_aside,
    make_directory,
    make_empty,
    sync_directory,
    write_durably,
)
from sealmesh.adapters.store.head import Head
from sealmesh.adapters.store.memory import MemoryStore
from sealmesh.adapters.store.mooring import Mooring, Unmoored
from sealmesh.adapters.store.opening import DATA, Absent, NeedsRecovery, Opened, Opener, Opening
from sealmesh.adapters.store.rows import write_everything
from sealmesh.adapters.store.sqlite import SqliteStore, Step, no_step
from sealmesh.adapters.store.turnstile import Turnstile
from sealmesh.adapters.store.vault import Vault
from sealmesh.coordinator.ports import Change, Founded, SealPlan, Store
from sealmesh.errors.store import RecoveryNotPossible, SealerError, StateRolledBack, StoreConflict, StoreError
from sealmesh.ledger import Frontier
from sealmesh.manifest import SealMode
from sealmesh.sealing import KEY_BYTES, NO_RECOVERY, RecoveryInfo, key_id, split_recovery_key, wrap_share

_COMPANIONS: Final = ("-wal", "-shm", "-journal")
_Stamp = tuple[tuple[int, int, int] | None, tuple[int, int, int] | None]


class SealedSeat:
    """A seat in the directory at `directory`; safe for threads, one per process.

    Args:
        directory: Made with mode 0700 when the first state is founded.
        sealer: Seals the key-encryption key.
        entropy: Random bytes for keys, shares and nonces.
        mooring: What binds the state to an anchor.
        step: Called with a name at each place of a write, for tests that kill the process there.
    """

    def __init__(
        self,
        directory: Path,
        *,
        sealer: Sealer,
        entropy: Callable[[int], bytes],
        mooring: Mooring | None = None,
        step: Step = no_step,
    ) -> None:
        self._directory = directory
        self._sealer = sealer
        self._entropy = entropy
        self._step = step
        self._mooring: Mooring = Unmoored() if mooring is None else mooring
        self._opener = Opener(directory, sealer=sealer, mooring=self._mooring, entropy=entropy, step=step)
        self._lock = threading.RLock()
        self._store: Store | None = None
        self._opening: Opening = Absent()
        self._stamp: _Stamp = (None, None)

    def store(self) -> Store | None:
        """Return the open store, or None while there is none or it waits for recovery.

        Raises:
            SealedDataError: There is a state, and it is damaged.
            StoreError: It cannot be read.
        """
        found = self._store
        return found if found is not None else self._look()

    def needs_recovery(self) -> bool:
        """Tell whether there is a state whose key cannot be unsealed here."""
        return self.recovery() is not None

    def recovery(self) -> NeedsRecovery | None:
        """Return why and how the state has to be recovered; None when it has not."""
        with self._lock:
            if self.store() is None and isinstance(self._opening, NeedsRecovery):
                return self._opening
            return None

    def found(self, change: Change, plan: SealPlan) -> Founded:
        """Create the state with `change` as its first commit, durably; replaces one that waits for recovery.

        Raises:
            StoreConflict: Somebody else created one in between, or `change` expects records.
            RecoverySchemeError: The recovery keys and threshold do not fit.
            ShareError: A recovery key is too small.
            SealModeRefused: The sealer cannot keep the mode.
            StoreError: It cannot be written.
            AnchorError: The anchor cannot be asked or moved.
        """
        draft = Draft(stored=lambda _: None, version=0, frontier=Frontier())
        with self._lock:
            if plan.mode == SealMode.DISABLED:
                return self._found_in_memory(change)
            mode = self._sealer.mode_for(str(plan.mode))
            draft.apply(change)
            key, info, secrets = self._shared_key(plan)
            make_directory(self._directory)
            with self._mooring.held():
                with (
                    database.translated(),
                    closing(Turnstile(self._directory)) as turnstile,
                    turnstile.held(),
                ):
                    self._write_state(draft, key=key, info=info, mode=mode)
                self._mooring.settle()
                self._step("anchored")
            store = self._look()
            if store is None:
                raise StoreError("The state that was just written cannot be opened")
            return Founded(store=store, recovery_secrets=secrets)

    def peek(self, encryption_key: bytes) -> SqliteStore:
        """Return the state that waits for recovery, opened with a recovered key, for the caller to close.

        Nothing is written and the seat stays in recovery: the owners' signatures can be checked against the
        manifest inside before `unlock`.

        Raises:
            RecoveryNotPossible: There is no such state, or this is not its key.
            SealedDataError: `sealed_data` is damaged.
        """
        return self._opener.open_with(encryption_key)

    def unlock(self, encryption_key: bytes) -> Store:
        """End the recovery: seal the recovered key to this platform, open the state and return it.

        Raises:
            RecoveryNotPossible: There is no state in recovery, or this is not its key.
            SealedDataError: `sealed_data` is damaged.
            StoreError: `sealed_key` cannot be written.
        """
        with self._lock:
            if self.recovery() is None:
                raise RecoveryNotPossible("There is nothing to recover")
            with (
                self._mooring.held(),
                closing(self._opener.open_with(encryption_key, mooring=self._mooring)) as store,
            ):
                version = store.moor()
                with store.locked() as row:
                    self._seal_keys([encryption_key], mode=row.mode, floor=version)
            opened = self._look()
            if opened is None:
                raise StoreError("The recovered state cannot be opened")
            return opened

    def age(self, encryption_key: bytes) -> str:
        """Return why the state is not the newest that was there, as far as the anchor can tell; else nothing.

        Raises:
            RecoveryNotPossible: There is no state, or this is not its key.
            AnchorError: The anchor cannot be asked.
        """
        with self._mooring.held(), closing(self.peek(encryption_key)) as store:
            try:
                self._mooring.check(store.head().epoch)
            except StateRolledBack as error:
                return f"{error.message}: {error.found}"
        return ""

    def rekey(self, change: Change, plan: SealPlan) -> Founded:
        """Commit `change` under new keys and new shares; the old shares are worthless then.

        Raises:
            StoreConflict: A record in `expects` has another version; nothing was written.
            RecoverySchemeError: The recovery keys and threshold do not fit.
            ShareError: A recovery key is too small.
            SealModeRefused: The sealer cannot keep the mode.
            StoreError: It cannot be written.
            AnchorError: The anchor cannot be asked or moved.
        """
        store = self.store()
        if not isinstance(store, SqliteStore):
            if store is None:
                raise StoreError("There is no state to give new keys to")
            store.commit(change)
            return Founded(store=store)
        mode = self._sealer.mode_for(str(plan.mode))
        key, info, secrets = self._shared_key(plan)

        def prepare(in_force: SealRow) -> None:
            self._step("before both keys")
            self._seal_keys([key, *self._sealed_key(in_force)], mode=mode, floor=0)
            self._step("both keys")

        version = store.rekey(
            change, encryption_key=key, mode=mode, recovery=info.to_bytes(), prepare=prepare
        )
        self._step("new keys")
        with store.locked() as row:
            if row.key_id == key_id(key):
                self._seal_keys([key], mode=mode, floor=version)
        return Founded(store=store, recovery_secrets=secrets)

    def recovery_scheme(self) -> RecoveryInfo | None:
        """Return how the key of the state that is there is shared; None where none is, or only in memory."""
        return None if isinstance(self.store(), MemoryStore) else self._opener.info()

    def close(self) -> None:
        """Close the store."""
        with self._lock:
            if self._store is not None:
                self._store.close()

    def _look(self) -> Store | None:
        with self._lock:
            if self._store is not None:
                return self._store
            stamp = (_stamp(self._opener.data), _stamp(self._opener.key))
            if stamp != self._stamp:
                self._opening = self._opener.open()
                self._stamp = stamp
            if isinstance(self._opening, Opened):
                self._seal_anew(self._opening.store)
                self._store = self._opening.store
            return self._store

    def _seal_anew(self, store: SqliteStore) -> None:
        """Write `sealed_key` for the state and software that are there now, where it is for older ones.

        A disk that cannot be written is no reason not to open: what is there opens the state.
        """
        found = self._opener.unsealed()
        if found.current and found.floor == store.version():
            return
        try:
            with store.locked() as row:
                keys = self._sealed_key(row)
                if keys:
                    self._seal_keys(keys, mode=row.mode, floor=store.version())
        except StoreError:
            return
        except BaseException:
            store.close()
            self._stamp = (None, None)
            self._opening = Absent()
            raise

    def _sealed_key(self, row: SealRow) -> list[bytes]:
        """Return the key in `sealed_key` that opens the state with this row; nothing where there is none."""
        try:
            found = self._opener.unsealed().keys
        except SealerError:
            return []
        return [key for key in found if key_id(key) == row.key_id]

    def _found_in_memory(self, change: Change) -> Founded:
        if self._look() is not None:
            raise StoreConflict(DATA, found="a state", wanted="none")
        store = MemoryStore()
        store.commit(change)
        self._store = store
        return Founded(store=store)

    def _shared_key(self, plan: SealPlan) -> tuple[bytes, RecoveryInfo, dict[str, bytes]]:
        key = self._entropy(KEY_BYTES)
        if not plan.recovery_keys:
            return key, replace(NO_RECOVERY, guard=plan.guard), {}
        shared = split_recovery_key(
            key, owners=len(plan.recovery_keys), threshold=plan.recovery_threshold, entropy=self._entropy
        )
        owners = plan.recovery_keys.items()
        secrets = {
            name: wrap_share(share, owner) for (name, owner), share in zip(owners, shared.shares, strict=True)
        }
        return key, replace(shared.info, guard=plan.guard), secrets

    def _write_state(self, draft: Draft, *, key: bytes, info: RecoveryInfo, mode: str) -> None:
        opening = self._opener.open()
        if isinstance(opening, Opened):
            opening.store.close()
            raise StoreConflict(DATA, found="a state", wanted="none")
        new = self._directory / f"{DATA}.new"
        self._write_database(new, draft, key=key, info=info, mode=mode)
        self._step("database")
        if isinstance(opening, NeedsRecovery):
            self._keep_aside()
        self._seal_keys([key], mode=mode, floor=draft.version)
        self._step("key in place")
        _remove_companions(self._opener.data)
        self._step("companions removed")
        new.rename(self._opener.data)
        self._step("database in place")
        sync_directory(self._directory)

    def _write_database(self, path: Path, draft: Draft, *, key: bytes, info: RecoveryInfo, mode: str) -> None:
        _remove_companions(path)
        make_empty(path)
        vault, row = Vault.new(key, generation=1, mode=mode, recovery=info.to_bytes(), entropy=self._entropy)
        head = Head(
            version=draft.version,
            epoch=self._mooring.first(),
            total=0,
            plain_digest=bytes(32),
            frontier=draft.frontier,
        )
        with database.translated(), closing(database.create(path)) as connection:
            write_everything(connection, vault, row, head, records=draft.records, leaves=draft.leaves)
            connection.execute("COMMIT")
            connection.execute("PRAGMA journal_mode = WAL")

    def _keep_aside(self) -> None:
        """Keep the state that is given up under other names, with its log brought in, until the next one."""
        database.settle(self._opener.data)
        for path in (self._opener.data, self._opener.key):
            link_aside(path, path.with_name(path.name + ".old"))
        self._step("old state aside")

    def _seal_keys(self, keys: list[bytes], *, mode: str, floor: int) -> None:
        with database.translated():
            write_durably(self._opener.key, self._sealer.seal(keys, mode=mode, floor=floor))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _remove_companions(path: Path) -> None:
    for suffix in _COMPANIONS:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
