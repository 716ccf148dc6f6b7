"""One call to the Coordinator's mesh port, over TLS 1.3.

The connection shows our certificate and believes any server: who it was is verified afterwards, from the
Evidence in the answer and the certificate recorded here. Nothing secret of ours goes over it before that.
"""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf.message import DecodeError, Message

from sealmesh.client.tls import recording_context
from sealmesh.dataplane.contexts import load_certificate
from sealmesh.errors.attestation import Mismatch
from sealmesh.errors.client import PeerError
from sealmesh.errors.marble import ActivationRefused, CoordinatorRefused, CoordinatorUnavailable
from sealmesh.marble.config import CoordinatorAddress
from sealmesh.marble.mesh_port.connect import connect_call
from sealmesh.marble.mesh_port.outcome import CallRefused, NoSuchProtocol
from sealmesh.wire.methods import ACTIVATE, OWN_ALPN
from sealmesh.wire.status import Status

#: A Coordinator under load queues callers; a dead one is noticed by then.
CALL_SECONDS = 30.0
#: It is there, but not (yet) in the state to admit Marbles, or overloaded.
_COME_AGAIN = (Status.UNAVAILABLE, Status.FAILED_PRECONDITION, Status.DEADLINE_EXCEEDED, Status.ABORTED)
_OF_MARBLERUN = "A Coordinator of MarbleRun is joined with --legacy, which does not verify it"
_NO_PROTOCOL = "no application protocol"  # OpenSSL's words for the alert; `reason` is not always there

_Reply = TypeVar("_Reply", bound=Message)


@dataclass(frozen=True, slots=True)
class Answer(Generic[_Reply]):
    """A reply, and the server certificate (DER) of the connection that brought it."""

    reply: _Reply
    server_certificate: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientIdentity:
    """What this side shows in the handshake: PEM, the leaf first."""

    certificate_chain: str
    key: str


def call(
    address: CoordinatorAddress,
    identity: ClientIdentity,
    method: str,
    request: Message,
    reply_type: type[_Reply],
) -> Answer[_Reply]:
    """Call `method` on a fresh connection: MarbleRun's over gRPC, ours over Connect.

    Raises:
        CoordinatorUnavailable: Nobody answers, or the Coordinator admits nobody now.
        ActivationRefused: The Coordinator refused, with its reason.
        CoordinatorRefused: What answers is no Coordinator.
    """
    try:
        return asyncio.run(_call(address, identity, method, request, reply_type))
    except CallRefused as error:
        raise _refusal(address, error) from error
    except (NoSuchProtocol, DecodeError) as error:
        raise _no_coordinator(address, str(error)) from error
    except ssl.SSLError as error:
        speaks_other = method != ACTIVATE and _NO_PROTOCOL in str(error)
        remedy = _OF_MARBLERUN if speaks_other else None
        raise _no_coordinator(address, str(error), remedy) from error
    except OSError as error:  # also when it took too long
        found = (str(error) or type(error).__name__)[:200]
        raise CoordinatorUnavailable(
            f"The Coordinator at {address} cannot be reached", found=found
        ) from error


async def _call(
    address: CoordinatorAddress,
    identity: ClientIdentity,
    method: str,
    request: Message,
    reply_type: type[_Reply],
) -> Answer[_Reply]:
    shown: list[bytes] = []
    context = recording_context(shown.append)
    context.set_alpn_protocols(["h2"] if method == ACTIVATE else ["http/1.1", OWN_ALPN])
    load_certificate(context, identity.certificate_chain, identity.key)
    async with asyncio.timeout(CALL_SECONDS):
        if method == ACTIVATE:
            from sealmesh.marble.mesh_port.grpc import grpc_call  # slow to load, and seldom needed

            reply = await grpc_call(address, context, method, request, reply_type)
        else:
            message = await connect_call(address, context, method, request.SerializeToString())
            reply = reply_type.FromString(message)
    if not shown:
        raise PeerError("the Coordinator showed no certificate")
    return Answer(reply, shown[-1])


def _refusal(address: CoordinatorAddress, error: CallRefused) -> Exception:
    detail = error.detail
    if error.status in _COME_AGAIN:
        message = detail.message if detail else error.text or error.status.name
        return CoordinatorUnavailable(
            f"The Coordinator at {address} does not admit Marbles now", found=message
        )
    if error.status is Status.UNIMPLEMENTED:
        return ActivationRefused(
            f"The Coordinator at {address} does not know this call",
            found=f"status {error.status.name}",
            remedy=_OF_MARBLERUN,
        )
    if detail is None:
        return ActivationRefused(
            f"The Coordinator refused this Marble: {error.text or error.status.name}",
            found=f"status {error.status.name}",
        )
    return ActivationRefused(
        f"The Coordinator refused this Marble: {detail.message}",
        code=detail.code or None,
        found=detail.found or None,
        wanted=detail.wanted or None,
        remedy=detail.remedy or None,
        mismatches=[
            Mismatch(field=item.field, found=item.found, wanted=item.wanted) for item in detail.mismatches
        ],
    )


def _no_coordinator(address: CoordinatorAddress, found: str, remedy: str | None = None) -> CoordinatorRefused:
    return CoordinatorRefused(
        f"{address} does not answer as a Coordinator",
        found=found[:200],
        wanted="the Coordinator's mesh port, 2001 by default",
        remedy=remedy or "Check --coordinator-addr (SEALMESH_COORDINATOR_ADDR, EDG_MARBLE_COORDINATOR_ADDR)",
    )
