"""The client API: verify a Coordinator once, then talk on the pinned root.

policy = sealmesh.client.read_policy(Path("policy.json"))
application = sealmesh.client.verify("shop.example:4433", policy=policy)

with sealmesh.client.verify_coordinator("shop.example:4433", policy=policy).connect() as shop:
    print(shop.status())

Whatever waits has a twin that awaits: `verify_async`, `AsyncCoordinatorApi`, `connect_async`.
"""

from sealmesh.client.address import Address, parse_address
from sealmesh.client.api import AsyncCoordinatorApi, CoordinatorApi
from sealmesh.client.effective import effective_manifest
from sealmesh.client.files import read_policy, read_statement, write_statement
from sealmesh.client.manifest import SetManifest
from sealmesh.client.quote import Quote, SignedQuote
from sealmesh.client.recovery import Recovery
from sealmesh.client.result import VerifiedResult, verify_result, verify_result_of_key
from sealmesh.client.secret import SecretUpload, SecretValue
from sealmesh.client.secret_files import parse_secret_pem, parse_secret_uploads
from sealmesh.client.share import ShareKey, ShareKeyFile, encrypt_share, open_share
from sealmesh.client.status import Status
from sealmesh.client.tls import marble_context, pinned_context
from sealmesh.client.transport import application_context, async_marble_transport, marble_transport
from sealmesh.client.update import PendingUpdate, Update
from sealmesh.client.user import User, UserCertificate, read_user
from sealmesh.client.verifying import (
    VerifiedCoordinator,
    verify,
    verify_async,
    verify_coordinator,
    verify_coordinator_async,
)
from sealmesh.ledger import RelyingPolicy, VerifiedApplication, parse_policy, verify_statement

__all__ = [
    "Address",
    "AsyncCoordinatorApi",
    "CoordinatorApi",
    "PendingUpdate",
    "Quote",
    "Recovery",
    "RelyingPolicy",
    "SecretUpload",
    "SecretValue",
    "SetManifest",
    "ShareKey",
    "ShareKeyFile",
    "SignedQuote",
    "Status",
    "Update",
    "User",
    "UserCertificate",
    "VerifiedApplication",
    "VerifiedCoordinator",
    "VerifiedResult",
    "application_context",
    "async_marble_transport",
    "effective_manifest",
    "encrypt_share",
    "marble_context",
    "marble_transport",
    "open_share",
    "parse_address",
    "parse_policy",
    "parse_secret_pem",
    "parse_secret_uploads",
    "pinned_context",
    "read_policy",
    "read_statement",
    "read_user",
    "verify",
    "verify_async",
    "verify_coordinator",
    "verify_coordinator_async",
    "verify_result",
    "verify_result_of_key",
    "verify_statement",
    "write_statement",
]
