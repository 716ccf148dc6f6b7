"""What users may ask of the Coordinator: secrets, updates, their acknowledgment; and Marbles' counters."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from sealmesh.coordinator.api import (
    ApprovalReply,
    GovernanceReply,
    PeerChain,
    PendingUpdateReply,
    SecretReply,
    SecretUpload,
    UpdateReply,
)
from sealmesh.coordinator.commands import (
    acknowledge_update,
    cancel_update,
    count,
    propose_update,
    read_secrets,
    submit_approval,
    update_packages,
    write_secrets,
)
from sealmesh.coordinator.commands.governance import governance
from sealmesh.coordinator.commands.list_approvals import list_approvals
from sealmesh.coordinator.engine import Committed, Engine
from sealmesh.coordinator.pending_update import missing, require_pending
from sealmesh.coordinator.update_decision import Outcome
from sealmesh.coordinator.user_caller import authenticated_user
from sealmesh.errors import SealmeshError
from sealmesh.manifest import is_package_update

Reply = TypeVar("Reply")


class Governance:
    """The part of `api.CoordinatorPort` that acts for users, over an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get_secrets(self, names: tuple[str, ...], chain: PeerChain) -> Mapping[str, SecretReply]:
        """Return secrets to a user who may read them; the ledger has it first."""
        command = read_secrets.ReadSecrets(names=names, chain=chain)
        return _reply(
            self._engine.run(
                lambda state, context: read_secrets.decide(command, state, context), retry=True
            ).reply
        )

    def set_secrets(self, uploads: Mapping[str, SecretUpload], chain: PeerChain) -> None:
        """Take values of user-defined secrets from a user who may write them."""
        command = write_secrets.WriteSecrets(uploads=uploads, chain=chain)
        _reply(
            self._engine.run(
                lambda state, context: write_secrets.decide(command, state, context), retry=True
            ).reply
        )

    def update(self, raw: bytes, chain: PeerChain) -> UpdateReply:
        """Apply a package update, or propose a manifest."""
        # before a stranger's bytes are parsed
        authenticated_user(chain, self._engine.state(), self._engine.settings)
        if is_package_update(raw):
            packages = update_packages.UpdatePackages(raw=raw, chain=chain)
            return _outcome(
                self._engine.run(
                    lambda state, context: update_packages.decide(packages, state, context), retry=False
                )
            )
        proposal = propose_update.ProposeUpdate(raw=raw, chain=chain)
        return _outcome(
            self._engine.run(
                lambda state, context: propose_update.decide(proposal, state, context), retry=False
            )
        )

    def pending_update(self) -> PendingUpdateReply:
        """Return the update that waits."""
        state = self._engine.state()
        pending = require_pending(state)
        needed = missing(pending, state, self._engine.context())
        return PendingUpdateReply(
            raw=pending.raw, missing_users=needed.users, missing_acknowledgments=needed.count
        )

    def acknowledge(self, raw: bytes, chain: PeerChain) -> UpdateReply:
        """Count a user's acknowledgment; counting it twice changes nothing, so it may be decided again."""
        command = acknowledge_update.AcknowledgeUpdate(raw=raw, chain=chain)
        return _outcome(
            self._engine.run(
                lambda state, context: acknowledge_update.decide(command, state, context), retry=True
            )
        )

    def cancel(self, chain: PeerChain) -> None:
        """Drop the update that waits."""
        command = cancel_update.CancelUpdate(chain=chain)
        _reply(
            self._engine.run(
                lambda state, context: cancel_update.decide(command, state, context), retry=False
            ).reply
        )

    def governance(self) -> GovernanceReply:
        """Return what approvals have to name, and the rules in force."""
        return governance(self._engine.state())

    def submit_approval(self, raw: bytes, chain: PeerChain) -> ApprovalReply:
        """Take an approval that a user hands in."""
        command = submit_approval.SubmitApproval(raw=raw, chain=chain)
        return _reply(
            self._engine.run(
                lambda state, context: submit_approval.decide(command, state, context), retry=True
            ).reply
        )

    def approvals(self, chain: PeerChain) -> tuple[ApprovalReply, ...]:
        """Return the approvals that wait to be used."""
        return list_approvals(chain, self._engine.state(), self._engine.context())

    def monotonic_counter(self, name: str, value: int, chain: PeerChain) -> int:
        """Raise a Marble's counter if `value` is more; return what it was."""
        command = count.Count(name=name, value=value, chain=chain)
        return self._engine.run(
            lambda state, context: count.decide(command, state, context), retry=True
        ).reply


def _reply(reply: Reply | SealmeshError) -> Reply:
    if isinstance(reply, SealmeshError):
        raise reply  # refused or failed, and that it did is committed
    return reply


def _outcome(committed: Committed[Outcome]) -> UpdateReply:
    return replace(_reply(committed.reply), recovery_secrets=committed.recovery_secrets)
