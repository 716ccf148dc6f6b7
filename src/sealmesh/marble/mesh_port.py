"""One call to the Coordinator's mesh port (gRPC over TLS 1.3).

The connection shows our certificate and believes any server: who it was is verified afterwards, from the
Evidence in the answer and the certificate recorded here. Nothing secret of ours goes over it before that.
"""

import asyncio
import socket
import ssl
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from google.protobuf.message import DecodeError, Message
from grpclib.client import Channel, UnaryUnaryMethod
from grpclib.const import Status
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError
from grpclib.protocol import H2Protocol

from sealmesh.client.tls import recording_context
from sealmesh.dataplane.contexts import load_certificate
from sealmesh.errors.attestation import Mismatch
from sealmesh.errors.client import PeerError
from sealmesh.errors.marble import ActivationRefused, CoordinatorRefused, CoordinatorUnavailable
from sealmesh.marble.config import CoordinatorAddress
from sealmesh.wire.enrolment_pb2 import ErrorDetail
from sealmesh.wire.methods import ACTIVATE, ERROR_DETAIL_KEY, OWN_ALPN

#: A Coordinator under load queues callers; a dead one is noticed by then.
CALL_SECONDS = 30.0
#: It is there, but not (yet) in the state to admit Marbles, or overloaded.
_COME_AGAIN = (Status.UNAVAILABLE, Status.FAILED_PRECONDITION, Status.DEADLINE_EXCEEDED, Status.ABORTED)

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


class _Channel(Channel):
    """A channel whose connection is gone when it has ended: a loop that is over closes no sockets."""

    _transport: asyncio.WriteTransport | None = None

    def _protocol_factory(self) -> H2Protocol:
        protocol = super()._protocol_factory()
        connection_made = protocol.connection_made

        def made(transport: asyncio.BaseTransport) -> None:
            self._transport = cast("asyncio.WriteTransport", transport)
            connection_made(transport)

        protocol.connection_made = made  # type: ignore[method-assign]
        return protocol

    async def end(self) -> None:
        """Say goodbye, and do not wait for an answer."""
        self.close()
        if self._transport is not None:
            self._transport.abort()
            await asyncio.sleep(0)  # the loop's next turn closes the socket


def call(
    address: CoordinatorAddress,
    identity: ClientIdentity,
    method: str,
    request: Message,
    reply_type: type[_Reply],
) -> Answer[_Reply]:
    """Call `method` on a fresh connection.

    Raises:
        CoordinatorUnavailable: Nobody answers, or the Coordinator admits nobody now.
        ActivationRefused: The Coordinator refused, with its reason.
        CoordinatorRefused: What answers is no Coordinator.
    """
    try:
        return asyncio.run(_call(address, identity, method, request, reply_type))
    except GRPCError as error:
        raise _unavailable(address, str(error)) from error
    except (ssl.SSLError, ProtocolError, DecodeError) as error:
        raise CoordinatorRefused(
            f"{address} does not answer as a Coordinator", found=str(error)[:200]
        ) from error
    except (TimeoutError, StreamTerminatedError, ConnectionError, socket.gaierror, OSError) as error:
        raise _unavailable(address, str(error) or type(error).__name__) from error


async def _call(
    address: CoordinatorAddress,
    identity: ClientIdentity,
    method: str,
    request: Message,
    reply_type: type[_Reply],
) -> Answer[_Reply]:
    shown: list[bytes] = []
    context = recording_context(shown.append)
    context.set_alpn_protocols(["h2"] if method == ACTIVATE else ["h2", OWN_ALPN])
    load_certificate(context, identity.certificate_chain, identity.key)
    channel = _Channel(address.host, address.port, ssl=context)
    try:
        stub: UnaryUnaryMethod[Message, _Reply] = UnaryUnaryMethod(channel, method, type(request), reply_type)
        async with asyncio.timeout(CALL_SECONDS), stub.open(timeout=CALL_SECONDS) as stream:
            try:
                await stream.send_message(request, end=True)
                reply = await stream.recv_message()
                await stream.recv_trailing_metadata()
            except GRPCError as error:
                raise _refusal(address, error, stream.trailing_metadata) from error
    finally:
        await channel.end()
    if reply is None or not shown:
        raise PeerError("the Coordinator sent no answer")
    return Answer(reply, shown[-1])


def _refusal(address: CoordinatorAddress, error: GRPCError, trailing: object) -> Exception:
    detail = _detail(trailing)
    if error.status in _COME_AGAIN:
        message = detail.message if detail else error.message or error.status.name
        return CoordinatorUnavailable(
            f"The Coordinator at {address} does not admit Marbles now", found=message
        )
    if detail is None and error.status is Status.UNKNOWN:  # grpclib's word for an answer that is no gRPC
        return CoordinatorRefused(
            f"{address} does not answer as a Coordinator",
            found=error.message,
            wanted="the Coordinator's mesh port, 2001 by default",
            remedy="Check --coordinator-addr (SEALMESH_COORDINATOR_ADDR, EDG_MARBLE_COORDINATOR_ADDR)",
        )
    if error.status is Status.UNIMPLEMENTED:
        return ActivationRefused(
            f"The Coordinator at {address} does not know this call",
            found=f"gRPC status {error.status.name}",
            remedy="A Coordinator of MarbleRun is joined with --legacy, which does not verify it",
        )
    if detail is None:
        return ActivationRefused(
            f"The Coordinator refused this Marble: {error.message or error.status.name}",
            found=f"gRPC status {error.status.name}",
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


def _detail(trailing: object) -> ErrorDetail | None:
    raw = trailing.get(ERROR_DETAIL_KEY) if hasattr(trailing, "get") else None
    try:
        return ErrorDetail.FromString(raw) if isinstance(raw, bytes) else None
    except DecodeError:
        return None


def _unavailable(address: CoordinatorAddress, found: str) -> CoordinatorUnavailable:
    return CoordinatorUnavailable(f"The Coordinator at {address} cannot be reached", found=found[:200])
