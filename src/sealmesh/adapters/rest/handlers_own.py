"""sealmesh's own REST API: one function for each route."""

from sealmesh.adapters.rest.call import Call
from sealmesh.attestation.results import Form
from sealmesh.coordinator.api import OwnerShare, ResultRequest
from sealmesh.errors.transport import QueryRefused
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


def results(call: Call) -> Answer:
    """GET /api/sealmesh/v1/results?form=&nonce=&marble=&uuid=: the token itself."""
    request = ResultRequest(
        form=_form(call.query.first("form")),
        marble_type=call.query.first("marble"),
        uuid=call.query.first("uuid"),
        nonce=call.query.base64("nonce") or None,
    )
    reply = call.coordinator.give_result(request, call.chain)
    return Answer(status=200, headers=(("content-type", reply.form.media_type),), body=reply.token)


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


def _form(text: str) -> Form:
    try:
        return Form(text or Form.JWT)
    except ValueError as error:
        raise QueryRefused("`form` is none", found=text[:64], wanted=" or ".join(Form)) from error
