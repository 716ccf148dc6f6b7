"""Which approvals were handed in and wait to be used, and how many more their acts need."""

from sealmesh.coordinator.api import ApprovalReply, PeerChain
from sealmesh.coordinator.approvals.book import Standing, collected, standing
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.gates import check_gate
from sealmesh.coordinator.phase import Act, move
from sealmesh.coordinator.state import State
from sealmesh.coordinator.user_caller import authenticated_user


def list_approvals(chain: PeerChain, state: State, context: Context) -> tuple[ApprovalReply, ...]:
    """Return them to a user, those of one subject together.

    Raises:
        GateClosed: The manifest reserves nothing.
        UserUnauthenticated: Nobody known.
    """
    check_gate(Act.APPROVE, state)
    authenticated_user(chain, state, context.settings)
    move(state.phase, Act.APPROVE)
    found = []
    stands: dict[tuple[str, str], Standing] = {}
    for approval in sorted(collected(state, context), key=lambda one: (one.act, one.subject, one.approver)):
        about = (approval.act, approval.subject)
        if about not in stands:
            stands[about] = standing(approval.act, approval.subject, state, context)
        found.append(
            ApprovalReply(
                id=approval.id,
                approver=approval.approver,
                act=str(approval.act),
                subject=approval.subject,
                reason=approval.reason,
                not_after=approval.not_after,
                missing=stands[about].missing,
                asked=stands[about].asked,
            )
        )
    return tuple(found)
