"""One table from the kind of a failure to the status of each transport."""

from sealmesh.errors.base import Kind

#: kind -> (HTTP status of our own API, gRPC status name). MarbleRun's v1 and v2 routes have their own
#: rules, which stand in `wire`.
_STATUS: dict[Kind, tuple[int, str]] = {
    Kind.INVALID: (400, "INVALID_ARGUMENT"),
    Kind.UNAUTHENTICATED: (401, "UNAUTHENTICATED"),
    Kind.DENIED: (403, "PERMISSION_DENIED"),
    Kind.NOT_FOUND: (404, "NOT_FOUND"),
    Kind.CONFLICT: (409, "ABORTED"),
    Kind.STATE: (412, "FAILED_PRECONDITION"),
    Kind.EXHAUSTED: (429, "RESOURCE_EXHAUSTED"),
    Kind.UNAVAILABLE: (503, "UNAVAILABLE"),
    Kind.CONFIGURATION: (500, "INTERNAL"),
}


def http_status(kind: Kind) -> int:
    """Return the HTTP status for `kind`."""
    return _STATUS[kind][0]


def grpc_status(kind: Kind) -> str:
    """Return the name of the gRPC status for `kind`."""
    return _STATUS[kind][1]
