"""Reading the manifest in force and its signature."""

from sealmesh.coordinator.api import ManifestReply
from sealmesh.coordinator.phase import Act, move
from sealmesh.coordinator.state import State


def manifest(state: State) -> ManifestReply:
    """Return the bytes that were set, their digest and the root key's signature over them.

    Raises:
        PhaseError: There is no manifest.
    """
    move(state.phase, Act.READ_MANIFEST)
    in_force = state.running
    return ManifestReply(raw=in_force.raw, fingerprint=in_force.fingerprint, signature=in_force.signature)
