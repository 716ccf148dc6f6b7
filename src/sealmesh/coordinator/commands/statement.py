"""The application statement: draft it from the state, to be completed with Evidence made for it."""

from sealmesh import __version__
from sealmesh.coordinator import places
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.phase import Act, move
from sealmesh.coordinator.state import State
from sealmesh.ledger import Frontier
from sealmesh.ledger.checkpoint import ledger_origin, sign_checkpoint
from sealmesh.ledger.note import derive_signing_key, note_key
from sealmesh.ledger.statement import StatementDraft, draft_statement


def statement(nonce: bytes, frontier: Frontier, state: State, context: Context) -> StatementDraft:
    """Return the statement's body for a verifier's `nonce` and the ledger as `frontier` has it.

    Raises:
        PhaseError: There is no manifest to speak about.
        StatementError: The nonce is too long.
    """
    move(state.phase, Act.MAKE_STATEMENT)
    authority, in_force = state.authority, state.running
    signing_key = derive_signing_key(authority.root_key)
    return draft_statement(
        now=context.now,
        nonce=nonce,
        version=__version__,
        root=authority.root_cert,
        intermediate=authority.intermediate_cert,
        manifest_raw=in_force.raw,
        manifest=in_force.manifest,
        security_versions=_raised(state),
        ledger_key=note_key(ledger_origin(authority.trust_domain), signing_key).text(),
        checkpoint=sign_checkpoint(authority.trust_domain, frontier, signing_key),
        relaxations=context.settings.relaxation_names,
        simulation=in_force.manifest.simulation or context.settings.simulation or authority.simulation,
    )


def _raised(state: State) -> dict[str, int]:
    names = state.shelves.shelf(places.PACKAGES)
    return {name: state.shelves.number(places.package_version(name)) for name in names}
