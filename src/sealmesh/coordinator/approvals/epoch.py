"""The number of the manifest in force, which ends approvals when it goes up."""

from sealmesh.coordinator import places
from sealmesh.coordinator.approvals.mesh import ManifestEpoch, Mesh
from sealmesh.coordinator.approvals.verification import Setting
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.state import State
from sealmesh.manifest import Governance


def manifest_epoch(state: State) -> ManifestEpoch:
    """Return the manifest in force and its number.

    Raises:
        PhaseError: There is none.
    """
    number = state.shelves.number(places.EPOCH, default=1)
    return ManifestEpoch(fingerprint=state.running.fingerprint, number=number)


def setting_of(governance: Governance, state: State, context: Context) -> Setting:
    """Return where approvals are presented: this mesh, its manifest, now."""
    return Setting(
        mesh=Mesh.of(state.authority.root_cert),
        manifest=manifest_epoch(state),
        governance=governance,
        now=context.now,
    )


def epoch_ended(state: State) -> dict[str, bytes | None]:
    """Return the records that begin the next epoch: its number, and no approval of the old one.

    That an approval was used need not be remembered: none of the old epoch counts any more.
    """
    kept = (places.APPROVALS, places.USED_APPROVALS, places.REFUSALS)
    old = {f"{shelf}/{name}": None for shelf in kept for name in state.shelves.shelf(shelf)}
    return {**old, places.EPOCH: b"%d" % (manifest_epoch(state).number + 1)}
