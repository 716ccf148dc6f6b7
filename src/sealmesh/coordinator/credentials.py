"""A certificate for a Marble's own key, and what its data plane needs to know with it."""

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.coordinator.api import Credentials
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.leaf import renew_after
from sealmesh.coordinator.state import State


def credentials(leaf: x509.Certificate, ttls: bytes | None, state: State, context: Context) -> Credentials:
    """Return `leaf` with the chains, rules and times that stand or fall with it."""
    authority = state.authority
    intermediate = authority.intermediate_der
    return Credentials(
        certificate_chain=(leaf.public_bytes(Encoding.DER), intermediate),
        coordinator_chain=(intermediate, authority.root_der),
        marble_root=authority.marble_root_der,
        access_policy=state.running.access_document,
        ttls=ttls,
        not_after=leaf.not_valid_after_utc,
        renew_after=renew_after(leaf, context.now),
        trust_domain=authority.trust_domain,
        simulation=authority.simulation or state.running.manifest.simulation or context.settings.simulation,
        relaxations=context.settings.relaxation_names,
    )
