"""sealmesh's own REST API for governance: one function for each route."""

from sealmesh.adapters.rest.call import Call
from sealmesh.wire import bodies, rest_governance
from sealmesh.wire.envelope import Answer, success


def governance(call: Call) -> Answer:
    """GET /api/sealmesh/v1/governance."""
    reply = call.coordinator.governance()
    return success(
        rest_governance.governance(
            trust_domain=reply.trust_domain,
            root=reply.root,
            coordinator=reply.coordinator,
            manifest=reply.manifest,
            epoch=reply.epoch,
            rules=reply.rules,
            keys=reply.keys,
        )
    )


def approvals(call: Call) -> Answer:
    """GET /api/sealmesh/v1/approvals."""
    return success(rest_governance.approvals(call.coordinator.approvals(call.chain)))


def submit_approval(call: Call) -> Answer:
    """POST /api/sealmesh/v1/approvals."""
    reply = call.coordinator.submit_approval(bodies.parse_approval_body(call.body), call.chain)
    return success(rest_governance.approval(reply))
