"""The OpenAPI description and the table of routes say the same."""

import jsonschema
import pytest

from sealmesh.adapters.rest.routes import ROUTES
from sealmesh.coordinator.phase import Act
from sealmesh.wire.openapi import openapi_document
from sealmesh.wire.openapi.operation import Caller
from sealmesh.wire.openapi.operations import OPERATIONS

CALLERS = {
    None: Caller.ANYBODY,
    Act.SIGN_QUOTE: Caller.ANYBODY,
    Act.ACCESS_SECRETS: Caller.USER,
    Act.UPDATE: Caller.USER,
    Act.COUNT: Caller.MARBLE,
}


def test_every_route_is_described_once_and_nothing_else_is():
    described = [(operation.method, operation.path) for operation in OPERATIONS]
    assert sorted(described) == sorted(ROUTES)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda item: f"{item.method} {item.path}")
def test_the_description_names_the_caller_that_the_route_asks_for(operation):
    assert operation.caller is CALLERS[ROUTES[operation.method, operation.path].act]


def schemas(part):
    if isinstance(part, dict):
        for name, inner in part.items():
            if name == "schema" and isinstance(inner, dict) and "$ref" not in inner:
                yield inner
            else:
                yield from schemas(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from schemas(inner)


def test_every_schema_is_a_json_schema():
    document = openapi_document()
    found = [*schemas(document), *document["components"]["schemas"].values()]
    assert len(found) > 30
    for schema in found:
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_reference_leads_somewhere():
    document = openapi_document()
    for methods in document["paths"].values():
        for operation in methods.values():
            for answer in operation["responses"].values():
                if "$ref" in answer:
                    assert answer["$ref"].rpartition("/")[2] in document["components"]["responses"]
