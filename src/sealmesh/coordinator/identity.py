"""What the two servers show in TLS (COMPAT section 2)."""

from sealmesh.coordinator import places
from sealmesh.coordinator.api import ServerIdentity
from sealmesh.coordinator.state import State


def server_identity(state: State) -> ServerIdentity:
    """Return the root for the client API, the Marble root with the intermediate's key for the mesh API.

    The generation is the version of the commit that wrote the authority, 0 for the fresh one.
    """
    authority = state.authority
    return ServerIdentity(
        client_chain=(authority.root_cert,),
        client_key=authority.root_key,
        mesh_chain=(authority.marble_root_cert,),
        mesh_key=authority.intermediate_key,
        generation=state.shelves.version_of(places.AUTHORITY),
    )
