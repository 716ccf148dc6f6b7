"""MarbleRun's second REST API: one function for each route."""

from sealmesh.adapters.rest.call import Call, secret_names, uploads
from sealmesh.errors.coordinator import QuoteNotVerified
from sealmesh.errors.transport import BodyRefused
from sealmesh.wire import bodies, rest_v1, rest_v2
from sealmesh.wire.envelope import Answer, success


def status(call: Call) -> Answer:
    """GET /api/v2/status."""
    reply = call.coordinator.status()
    return success(rest_v2.status(code=reply.code, message=reply.message))


def manifest(call: Call) -> Answer:
    """GET /api/v2/manifest."""
    reply = call.coordinator.manifest()
    return success(rest_v2.manifest(raw=reply.raw, fingerprint=reply.fingerprint, signature=reply.signature))


def set_manifest(call: Call) -> Answer:
    """POST /api/v2/manifest."""
    reply = call.coordinator.set_manifest(bodies.parse_manifest_body(call.body), call.chain)
    return success(rest_v2.manifest_set(reply.recovery_secrets))


def quote(call: Call) -> Answer:
    """GET /api/v2/quote."""
    reply = call.coordinator.quote(call.query.base64("nonce"))
    return success(rest_v2.quote(chain_pem=reply.chain_pem, evidence=reply.evidence))


def recover(call: Call) -> Answer:
    """POST /api/v2/recover."""
    share = bodies.parse_recover_body(call.body)
    reply = call.coordinator.recover(share.secret, share.signature)
    return success(rest_v2.recovered(remaining=reply.remaining, remark=reply.remark))


def recovery_public_key(call: Call) -> Answer:
    """GET /api/v2/recover/public-key."""
    return success(rest_v2.recovery_key(call.coordinator.recovery_public_key()))


def update_log(call: Call) -> Answer:
    """GET /api/v2/update."""
    return success(rest_v2.update_log(call.coordinator.update_log()))


def update(call: Call) -> Answer:
    """POST /api/v2/update."""
    reply = call.coordinator.update(bodies.parse_manifest_body(call.body), call.chain)
    return success(
        rest_v2.updated(
            missing=reply.missing_acknowledgments,
            missing_users=reply.missing_users,
            recovery_secrets=reply.recovery_secrets,
        )
    )


def pending_update(call: Call) -> Answer:
    """GET /api/v2/update-manifest."""
    reply = call.coordinator.pending_update()
    message = rest_v1.acknowledged(reply.missing_acknowledgments)
    return success(rest_v2.pending_update(raw=reply.raw, missing_users=reply.missing_users, message=message))


def acknowledge(call: Call) -> Answer:
    """POST /api/v2/update-manifest."""
    reply = call.coordinator.acknowledge(bodies.parse_manifest_body(call.body), call.chain)
    return success(
        rest_v2.updated(
            missing=reply.missing_acknowledgments,
            missing_users=reply.missing_users,
            recovery_secrets=reply.recovery_secrets,
            message=rest_v1.acknowledged(reply.missing_acknowledgments),
        )
    )


def cancel(call: Call) -> Answer:
    """POST /api/v2/update-cancel."""
    call.coordinator.cancel(call.chain)
    return success({"message": "Cancellation successful"})


def get_secrets(call: Call) -> Answer:
    """GET /api/v2/secrets."""
    found = call.coordinator.get_secrets(secret_names(call.query), call.chain)
    return success({"secrets": rest_v2.secrets(found)})


def set_secrets(call: Call) -> Answer:
    """POST /api/v2/secrets."""
    call.coordinator.set_secrets(uploads(bodies.parse_uploads_v2(call.body)), call.chain)
    return success(None)


def sign_quote(call: Call) -> Answer:
    """POST /api/v2/sign-quote; a body that cannot be read is answered like a quote that does not verify."""
    try:
        quote_bytes = bodies.parse_quote_body(call.body)
    except BodyRefused as error:
        raise QuoteNotVerified(str(error)) from error
    reply = call.coordinator.sign_quote(quote_bytes)
    return success(rest_v2.quote_signed(tcb_status=reply.tcb_status, signature=reply.signature))


def monotonic_counter(call: Call) -> Answer:
    """POST /api/v2/monotonic-counter."""
    step = bodies.parse_counter_body(call.body)
    return success({"value": call.coordinator.monotonic_counter(step.name, step.value, call.chain)})
