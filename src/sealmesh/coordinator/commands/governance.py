"""What an approval has to name, and what the manifest reserves: read by everybody, like the manifest."""

from hashlib import sha256

from sealmesh.coordinator.api import GovernanceReply, RuleReply
from sealmesh.coordinator.approvals.epoch import manifest_epoch
from sealmesh.coordinator.approvals.mesh import Mesh
from sealmesh.coordinator.gates import check_gate
from sealmesh.coordinator.phase import Act
from sealmesh.coordinator.state import State
from sealmesh.manifest import Governance


def governance(state: State) -> GovernanceReply:
    """Return the rules of the manifest in force.

    Raises:
        GateClosed: It reserves nothing, or there is none.
    """
    check_gate(Act.APPROVE, state)
    mesh = Mesh.of(state.authority.root_cert)
    epoch = manifest_epoch(state)
    return governance_reply(
        state.running.manifest.governance,
        mesh=mesh,
        coordinator=mesh.root,
        manifest=epoch.fingerprint,
        epoch=epoch.number,
    )


def governance_reply(
    rules: Governance | None, *, mesh: Mesh, coordinator: str, manifest: str | None, epoch: int | None
) -> GovernanceReply:
    """Return `rules` as approvers need them."""
    return GovernanceReply(
        trust_domain=mesh.trust_domain,
        root=mesh.root,
        coordinator=coordinator,
        manifest=manifest,
        epoch=epoch,
        rules={}
        if rules is None
        else {
            str(act): RuleReply(threshold=rule.threshold, approvers=rule.approvers)
            for act, rule in rules.rules.items()
        },
        keys={}
        if rules is None
        else {
            name: tuple(sha256(key).hexdigest() for key in approver.keys)
            for name, approver in rules.approvers.items()
        },
    )
