"""The OpenAPI document out of the table of operations."""

import json

from sealmesh import __version__
from sealmesh.wire.openapi.operation import Caller, Operation, Query
from sealmesh.wire.openapi.operations import OPERATIONS
from sealmesh.wire.openapi.schemas import ERROR, FAIL, OWN_ERROR, Schema, envelope

_ABOUT = """\
TLS 1.3. A client certificate is optional and any is accepted: users are known by exact equality with a
certificate in the manifest, Marbles by one that the Coordinator issued. An unknown path, a wrong method or a
slash at the end is 405 without `Allow`, by which MarbleRun's client knows an older Coordinator.
"""


def openapi_document() -> dict[str, object]:
    """Return the description of the client port, OpenAPI 3.1."""
    paths: dict[str, dict[str, object]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "sealmesh Coordinator, client port", "version": __version__, "description": _ABOUT},
        "servers": [{"url": "https://localhost:4433"}],
        "paths": paths,
        "components": {
            "schemas": {"Error": ERROR, "Fail": FAIL, "OwnError": OWN_ERROR},
            "responses": {
                _refusal_name(operation, status): _refusal(operation, status)
                for operation in OPERATIONS
                for status in operation.statuses
            },
            "securitySchemes": {
                Caller.USER.value: {"type": "mutualTLS", "description": "The certificate of a user."},
                Caller.MARBLE.value: {"type": "mutualTLS", "description": "The certificate of a Marble."},
            },
        },
    }


def openapi_text() -> str:
    """Return the document as it stands in the reference."""
    return json.dumps(openapi_document(), indent=2) + "\n"


def _operation(operation: Operation) -> dict[str, object]:
    described: dict[str, object] = {
        "summary": operation.about,
        "tags": [operation.api.value],
        "responses": _responses(operation),
    }
    if operation.query:
        described["parameters"] = [_parameter(query) for query in operation.query]
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _json(operation.body)}
    if operation.caller is not Caller.ANYBODY:
        described["security"] = [{operation.caller.value: []}]
    return described


def _responses(operation: Operation) -> dict[str, object]:
    responses: dict[str, object] = {}
    if operation.data is not None:
        body = operation.data if operation.bare else envelope(operation.data)
        content = {media: {"schema": body} for media in operation.media}
        responses["200"] = {"description": "Done.", "content": content}
    for status in operation.statuses:
        responses[str(status)] = {"$ref": f"#/components/responses/{_refusal_name(operation, status)}"}
    return responses


def _refusal_name(operation: Operation, status: int) -> str:
    return f"{operation.api.value}-{status}"


def _refusal(operation: Operation, status: int) -> dict[str, object]:
    refusal = operation.refusal(status)
    schema = {"$ref": f"#/components/schemas/{refusal.schema}"}
    return {"description": refusal.why, "content": {refusal.media_type: {"schema": schema}}}


def _parameter(query: Query) -> dict[str, object]:
    schema: Schema = {"type": "array", "items": {"type": "string"}} if query.several else {"type": "string"}
    return {"name": query.name, "in": "query", "description": query.about, "schema": schema}


def _json(schema: Schema) -> dict[str, object]:
    return {"application/json": {"schema": schema}}
