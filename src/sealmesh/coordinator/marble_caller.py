"""Who is the Marble at the other end of a connection?"""

from datetime import datetime

from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.coordinator.api import PeerChain
from sealmesh.coordinator.state import State
from sealmesh.errors.coordinator import MarbleUnauthenticated
from sealmesh.errors.pki import MarbleChainError
from sealmesh.pki import MarbleIdentity, verify_marble_chain


def authenticated_marble(
    chain: PeerChain, state: State, now: datetime, *, present_intermediate: bool = False
) -> MarbleIdentity:
    """Return the Marble that `chain` names, if this mesh issued it and it is valid now.

    Args:
        chain: Of the connection, unchecked.
        state: Whose authority counts.
        now: When the certificates must be valid.
        present_intermediate: Also refuse certificates of an intermediate that an update has replaced. The
            leaf is enough then; without, the chain must hold the intermediate that issued it.

    Raises:
        MarbleUnauthenticated: No certificate, or not one of this mesh.
    """
    if not chain:
        raise MarbleUnauthenticated("the connection shows no client certificate")
    authority = state.authority
    anchor = authority.marble_root_cert if present_intermediate else authority.root_cert
    try:
        return verify_marble_chain(
            chain[0],
            intermediates=() if present_intermediate else chain[1:],
            root=anchor.public_bytes(Encoding.DER),
            now=now,
        )
    except MarbleChainError as error:
        raise MarbleUnauthenticated(
            "the certificate is not one of a Marble of this mesh", found=error.message
        ) from error
