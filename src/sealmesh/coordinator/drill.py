"""The drill of a recovery: do these shares open the state that is there? Nothing changes, nothing is kept.

Each share is judged by itself: is it one of this state's, given once, signed by the owner of a recovery key
that signed no other? With enough good ones the key is put together, and a second reader opens the whole state
with it, every record verified, as a recovery does. The Coordinator goes on as if nobody had asked.

Signatures are checked against the manifest in force; before a recovery that is inside the state, so that a
drill of too few shares cannot look at them.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from sealmesh.coordinator.api import DrillReply, OwnerShare, ShareReply
from sealmesh.coordinator.engine import Engine
from sealmesh.coordinator.phase import Act, move
from sealmesh.coordinator.ports import Seat
from sealmesh.coordinator.state import State
from sealmesh.errors import SealmeshError
from sealmesh.errors.coordinator import DrillRefused
from sealmesh.sealing import RecoveryInfo, RecoveryProgress, verify_share_signature


def drill(shares: Mapping[str, OwnerShare], engine: Engine) -> DrillReply:
    """Judge shares, by labels that the caller chose.

    Raises:
        PhaseError: There is no state.
        DrillRefused: The state has no recovery keys, or is not on a disk.
    """
    state, seat = engine.state(), engine.seat
    move(state.phase, Act.DRILL)
    info = _scheme(seat)
    progress, problems = _counted(shares, info)
    inside = _inside(seat, progress, state) if progress.complete else None
    manifest = inside if state.in_force is None else state
    good = {label: given for label, given in shares.items() if label not in problems}
    owners = _owners(good, manifest)
    return DrillReply(
        owners=info.owners,
        threshold=info.threshold,
        opens=inside is not None,
        remark=seat.age(progress.key()) if inside is not None else "",
        shares={
            label: ShareReply(
                problem=problems.get(label) or _signature_problem(owners, label, manifest),
                owner=owners.get(label, ""),
            )
            for label in shares
        },
    )


def _scheme(seat: Seat) -> RecoveryInfo:
    info = seat.recovery_scheme()
    if info is None or not info.owners:
        raise DrillRefused(
            "this state cannot be recovered by anybody",
            found="no sealed state" if info is None else "no recovery keys in the manifest",
        )
    return info


def _counted(
    shares: Mapping[str, OwnerShare], info: RecoveryInfo
) -> tuple[RecoveryProgress, Mapping[str, str]]:
    progress, problems = RecoveryProgress(info=info), {}
    for label, given in shares.items():
        try:
            progress = progress.with_share(given.share)
        except SealmeshError as error:
            problems[label] = error.message
    return progress, problems


def _inside(seat: Seat, progress: RecoveryProgress, now: State) -> State | None:
    try:
        with closing(seat.peek(progress.key())) as store:
            return State.before_manifest(now.authority).refreshed(store.load())
    except SealmeshError:
        return None


def _owners(shares: Mapping[str, OwnerShare], state: State | None) -> Mapping[str, str]:
    """Return whose key signed each share; no key twice."""
    if state is None or state.in_force is None:
        return {}
    left = {name: key.public_key for name, key in state.running.manifest.recovery_keys.items()}
    found: dict[str, str] = {}
    for label, given in shares.items():
        signer = next(_signers(given, left.items()), None)
        if signer is not None:
            found[label] = signer
            del left[signer]
    return found


def _signers(given: OwnerShare, keys: Iterable[tuple[str, RSAPublicKey]]) -> Iterator[str]:
    for name, key in keys:
        try:
            verify_share_signature(given.share, given.signature, key)
        except SealmeshError:
            continue
        yield name


def _signature_problem(owners: Mapping[str, str], label: str, state: State | None) -> str:
    if label in owners or state is None:
        return ""
    return "The recovery share is not signed by a recovery key of the manifest that signed no other share"
