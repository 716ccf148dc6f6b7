"""The Relying Party: verify a Coordinator once, then talk on the pinned root.

policy = sealmesh.client.read_policy(Path("policy.json"))
application = sealmesh.client.verify("shop.example:4433", policy=policy)
"""

from sealmesh.client.address import Address, parse_address
from sealmesh.client.files import read_policy, read_statement, write_statement
from sealmesh.client.rest import CoordinatorApi, Quote, SetManifest, Status
from sealmesh.client.tls import marble_context, pinned_context
from sealmesh.client.transport import application_context, async_marble_transport, marble_transport
from sealmesh.client.verifying import VerifiedCoordinator, verify, verify_coordinator
from sealmesh.ledger import RelyingPolicy, VerifiedApplication, parse_policy, verify_statement

__all__ = [
    "Address",
    "CoordinatorApi",
    "Quote",
    "RelyingPolicy",
    "SetManifest",
    "Status",
    "VerifiedApplication",
    "VerifiedCoordinator",
    "application_context",
    "async_marble_transport",
    "marble_context",
    "marble_transport",
    "parse_address",
    "parse_policy",
    "pinned_context",
    "read_policy",
    "read_statement",
    "verify",
    "verify_coordinator",
    "verify_statement",
    "write_statement",
]
