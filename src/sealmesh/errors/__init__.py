"""Every expected failure of sealmesh, as one tree of types.

A `SealmeshError` is the fault of a peer, a document, a file or the environment: it has a stable code,
says what was found, what was wanted and what to do, and never carries a secret. Our own faults are
`TypeError`, `RuntimeError` and `AssertionError`; servers answer those with 500 and no detail.
"""

from sealmesh.errors.base import Kind, SealmeshError
from sealmesh.errors.status import grpc_status, http_status

__all__ = ["Kind", "SealmeshError", "grpc_status", "http_status"]
