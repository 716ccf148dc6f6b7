"""The client port described in OpenAPI 3.1: for people, for generators of clients, and for fuzzing it.

It is written beside the routes, not made from them, so that each can be held against the other:
`tests/unit/adapters/rest/test_openapi.py` compares the tables, `tests/integration/test_rest_fuzz.py` lets
schemathesis send what the description allows and what it does not, and checks every answer against it.
"""

from sealmesh.wire.openapi.document import openapi_document, openapi_text
from sealmesh.wire.openapi.operation import Operation

__all__ = ["Operation", "openapi_document", "openapi_text"]
