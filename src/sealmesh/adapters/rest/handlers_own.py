"""sealmesh's own REST API: one function for each route."""

from sealmesh.adapters.rest.call import Call
from sealmesh.wire import rest_own
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
