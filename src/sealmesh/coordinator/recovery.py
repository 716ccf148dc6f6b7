"""Recovery: the owners' shares open a state whose key is lost (COMPAT section 11).

Rules:
- A share is known by its digest; an unknown or repeated one changes nothing.
- Signatures are checked when the last share is in, against the recovery keys of the manifest inside the
  state, each key counting once. If one does not hold, all shares have to be given again.
- Shares and the ephemeral key are in memory only. One process recovers; the others wait.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealmesh.coordinator import acts
from sealmesh.coordinator.api import RecoverReply, RecoveryStatus
from sealmesh.coordinator.approvals.waiting import WaitingApprovals
from sealmesh.coordinator.engine import Engine
from sealmesh.coordinator.phase import Act, move
from sealmesh.coordinator.ports import Change, Seat
from sealmesh.coordinator.state import State
from sealmesh.coordinator.update_log import absent, next_lines
from sealmesh.errors import SealmeshError
from sealmesh.errors.coordinator import RecoveryRefused
from sealmesh.sealing import RecoveryProgress, share_digest, unwrap_share, verify_share_signature

#: Recovery secrets of these lengths are taken as they are, all others are encrypted to the ephemeral key.
_PLAIN_LENGTHS = frozenset({16, 32, 33})
#: Of AES keys, as which MarbleRun would take the secret of a single owner.
_KEY_LENGTHS = frozenset({16, 32})
_EPHEMERAL_BITS = 4096
#: Both versions of the API answer this code as a fault of form.
UNREADABLE = "recovery-secret-unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    progress: RecoveryProgress
    signatures: Mapping[bytes, bytes]

    def __repr__(self) -> str:
        return f"_Given({self.progress!r})"


class Recovery:
    """Collects shares for one engine.

    Args:
        exclusive: Held while a share is taken, so that two at once are both counted.
    """

    def __init__(self, engine: Engine, *, exclusive: AbstractContextManager[object]) -> None:
        self._engine = engine
        self._exclusive = exclusive
        self.approvals = WaitingApprovals(engine, exclusive=exclusive)
        self._given: _Given | None = None
        self._ephemeral: RSAPrivateKey | None = None

    def public_key(self) -> bytes:
        """Return the ephemeral key as SubjectPublicKeyInfo DER; the same until the recovery is done.

        Raises:
            PhaseError: Nothing waits for recovery.
        """
        move(self._engine.state().phase, Act.RECOVER)
        with self._exclusive:
            if self._ephemeral is None:
                self._ephemeral = self._engine.context().keys.rsa(_EPHEMERAL_BITS)
            public = self._ephemeral.public_key()
        return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def recover(self, secret: bytes, signature: bytes) -> RecoverReply:
        """Take one recovery secret; with the last one the Coordinator runs again.

        Raises:
            RecoveryRefused: The secret cannot be read, is no share of this state, or a signature is wrong.
            ApprovalsMissing: It was the last one, and the manifest reserves recovery to several; it was not
                counted.
            PhaseError: Nothing waits for recovery.
        """
        with self._exclusive:
            share = self._plain(secret)
            move(self._engine.state().phase, Act.RECOVER)
            if self._counts_as_first_of_one(share):
                return RecoverReply(remaining=1)
            given = self._with_share(share, signature)
            if not given.progress.complete:
                self._given = given
                return RecoverReply(remaining=given.progress.remaining)
            before, self._given = self._given, None
            try:
                remark = self._unlock(given)
            except RecoveryRefused:
                raise
            except SealmeshError:
                # Approvals are missing, or the disk or the anchor is: the last owner gives his share again.
                self._given = before
                raise
            self._ephemeral = None
            return RecoverReply(remaining=0, remark=remark)

    def status(self) -> RecoveryStatus | None:
        """Return why a state waits and how many shares were given; None where none waits."""
        waiting, given = self._engine.seat.recovery(), self._given
        if waiting is None:
            return None
        counted = given is not None and given.progress.info == waiting.info
        return RecoveryStatus(
            reason=waiting.reason,
            owners=waiting.info.owners,
            threshold=waiting.info.threshold,
            given=len(given.progress.shares) if given is not None and counted else 0,
        )

    def _plain(self, secret: bytes) -> bytes:
        if len(secret) in _PLAIN_LENGTHS:
            return secret
        if self._ephemeral is None:
            raise RecoveryRefused(
                "the recovery secret has a wrong length",
                code=UNREADABLE,
                found=f"{len(secret)} bytes",
                wanted="32 or 33 bytes, or encrypted to the Coordinator's recovery key",
                remedy="To send it encrypted, ask for /api/v2/recover/public-key first.",
            )
        try:
            return unwrap_share(secret, self._ephemeral)
        except SealmeshError as error:
            raise RecoveryRefused(
                "the recovery secret cannot be decrypted",
                code=UNREADABLE,
                remedy="Encrypt it to the key that /api/v2/recover/public-key gives now.",
            ) from error

    def _counts_as_first_of_one(self, share: bytes) -> bool:
        """Tell whether MarbleRun would count `share` where at most one owner has the whole key.

        It cannot tell a wrong key from a share and answers that one is missing. Ours can, keeps nothing, and
        accepts the right key afterwards.
        """
        waiting = self._engine.seat.recovery()
        if waiting is None or waiting.info.owners > 1 or len(share) not in _KEY_LENGTHS:
            return False
        return share_digest(share) not in waiting.info.digests

    def _with_share(self, share: bytes, signature: bytes) -> _Given:
        waiting = self._engine.seat.recovery()
        if waiting is None:
            raise RecoveryRefused("there is nothing to recover")
        given = self._given
        if given is None or given.progress.info != waiting.info:
            given = _Given(progress=RecoveryProgress(info=waiting.info), signatures={})
        try:
            progress = given.progress.with_share(share)
        except SealmeshError as error:
            raise RecoveryRefused(
                error.message, code=error.code, found=error.found, wanted=error.wanted
            ) from error
        return replace(given, progress=progress, signatures={**given.signatures, share: signature})

    def _unlock(self, given: _Given) -> str:
        seat, key = self._engine.seat, given.progress.key()
        try:
            inside = _inside(seat, key, self._engine.state())
            keys = tuple(owner.public_key for owner in inside.running.manifest.recovery_keys.values())
        except SealmeshError as error:
            raise RecoveryRefused(error.message, code=error.code, found=error.found) from error
        _check_signatures(given.signatures, keys)
        context = self._engine.context()
        approved = self.approvals.authorize_recovery(inside, context)
        remark, waiting = seat.age(key), seat.recovery()
        store = seat.unlock(key)
        log = next_lines(inside, approved.lines)
        leaf = acts.recovered(
            context.now,
            shares=len(given.signatures),
            reason="" if waiting is None else waiting.reason,
            remark=remark,
        )
        store.commit(
            Change(
                puts={**approved.records, **log},
                expects=absent(log),
                appends=(*approved.leaves, leaf),
            )
        )
        return remark


def _inside(seat: Seat, key: bytes, now: State) -> State:
    with closing(seat.peek(key)) as store:
        return State.before_manifest(now.authority).refreshed(store.load())


def _check_signatures(signatures: Mapping[bytes, bytes], keys: tuple[RSAPublicKey, ...]) -> None:
    left = list(keys)
    for share, signature in signatures.items():
        signer = next((key for key in left if _signed(share, signature, key)), None)
        if signer is None:
            raise RecoveryRefused(
                "a recovery secret is not signed by one of the manifest's recovery keys",
                code="recovery-signature",
                remedy="Give all shares again, each signed with the key that it was encrypted to.",
            )
        left.remove(signer)


def _signed(share: bytes, signature: bytes, key: RSAPublicKey) -> bool:
    try:
        verify_share_signature(share, signature, key)
    except SealmeshError:
        return False
    return True
