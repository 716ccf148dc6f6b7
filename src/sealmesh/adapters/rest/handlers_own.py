"""sealmesh's own REST API: one function for each route."""

from sealmesh.adapters.rest.call import Call
from sealmesh.coordinator.api import OwnerShare
from sealmesh.wire import bodies, rest_own
from sealmesh.wire.envelope import Answer, success


def status(call: Call) -> Answer:
    """GET /api/sealmesh/v1/status."""
    reply = call.coordinator.status()
    return success(
        rest_own.status(
            code=reply.code,
            message=reply.message,
            relaxations=reply.relaxations,
            simulation=reply.simulation,
            recovery=reply.recovery,
        )
    )


def quote(call: Call) -> Answer:
    """GET /api/sealmesh/v1/quote?nonce=: as on v2, with the endorsements."""
    reply = call.coordinator.quote(call.query.base64("nonce"))
    return success(
        rest_own.quote(chain_pem=reply.chain_pem, evidence=reply.evidence, endorsements=reply.endorsements)
    )


def statement(call: Call) -> Answer:
    """GET /api/sealmesh/v1/statement?nonce=: the document itself, with no envelope around it."""
    document = call.coordinator.statement(call.query.base64("nonce"))
    return Answer(status=200, headers=(("content-type", "application/json"),), body=document)


def drill(call: Call) -> Answer:
    """POST /api/sealmesh/v1/recover/drill: what a recovery with these shares would come to."""
    given = bodies.parse_drill_body(call.body)
    reply = call.coordinator.drill(
        {label: OwnerShare(share=item.secret, signature=item.signature) for label, item in given.items()}
    )
    return success(
        rest_own.drilled(
            owners=reply.owners,
            threshold=reply.threshold,
            passed=reply.passed,
            opens=reply.opens,
            remark=reply.remark,
            shares=reply.shares,
        )
    )
