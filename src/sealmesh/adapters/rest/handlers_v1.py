"""MarbleRun's first REST API: one function for each route."""

from sealmesh.adapters.rest.call import Call, secret_names, uploads
from sealmesh.errors.coordinator import PhaseError
from sealmesh.errors.transport import EndpointGone
from sealmesh.wire import rest_v1, rest_v2
from sealmesh.wire.bodies import parse_uploads_v1
from sealmesh.wire.envelope import Answer, success


def status(call: Call) -> Answer:
    """GET /status."""
    reply = call.coordinator.status()
    return success(rest_v1.status(code=reply.code, message=reply.message))


def manifest(call: Call) -> Answer:
    """GET /manifest; without one the fields are empty."""
    try:
        reply = call.coordinator.manifest()
    except PhaseError:
        return success(rest_v1.NO_MANIFEST)
    return success(rest_v1.manifest(raw=reply.raw, fingerprint=reply.fingerprint, signature=reply.signature))


def set_manifest(call: Call) -> Answer:
    """POST /manifest."""
    reply = call.coordinator.set_manifest(call.body, call.chain)
    return success(rest_v1.manifest_set(reply.recovery_secrets))


def quote(call: Call) -> Answer:
    """GET /quote; there is no nonce on v1."""
    reply = call.coordinator.quote(b"")
    return success(rest_v1.quote(chain_pem=reply.chain_pem, evidence=reply.evidence))


def recover(_call: Call) -> Answer:
    """POST /recover."""
    raise EndpointGone("recovery is not served here any more", remedy="Use POST /api/v2/recover.")


def update_log(call: Call) -> Answer:
    """GET /update."""
    return success(rest_v1.update_log(call.coordinator.update_log()))


def update(call: Call) -> Answer:
    """POST /update."""
    call.coordinator.update(call.body, call.chain)
    return success(None)


def pending_update(call: Call) -> Answer:
    """GET /update-manifest; the same as on v2."""
    reply = call.coordinator.pending_update()
    message = rest_v1.acknowledged(reply.missing_acknowledgments)
    return success(rest_v2.pending_update(raw=reply.raw, missing_users=reply.missing_users, message=message))


def acknowledge(call: Call) -> Answer:
    """POST /update-manifest."""
    reply = call.coordinator.acknowledge(call.body, call.chain)
    return success(rest_v1.acknowledged(reply.missing_acknowledgments))


def cancel(call: Call) -> Answer:
    """POST /update-cancel."""
    call.coordinator.cancel(call.chain)
    return success("Cancellation successful")


def get_secrets(call: Call) -> Answer:
    """GET /secrets."""
    return success(rest_v2.secrets(call.coordinator.get_secrets(secret_names(call.query), call.chain)))


def set_secrets(call: Call) -> Answer:
    """POST /secrets."""
    call.coordinator.set_secrets(uploads(parse_uploads_v1(call.body)), call.chain)
    return success(None)
