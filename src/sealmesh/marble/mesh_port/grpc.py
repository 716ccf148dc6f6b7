"""A unary gRPC call; `grpclib` does the protocol."""

import asyncio
import ssl
from typing import TypeVar, cast

from google.protobuf.message import DecodeError, Message
from grpclib.client import Channel, UnaryUnaryMethod
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError
from grpclib.protocol import H2Protocol

from sealmesh.marble.config import CoordinatorAddress
from sealmesh.marble.mesh_port.outcome import CallRefused, HungUp, NoSuchProtocol
from sealmesh.wire.enrolment_pb2 import ErrorDetail
from sealmesh.wire.methods import ERROR_DETAIL_KEY
from sealmesh.wire.status import Status

_Reply = TypeVar("_Reply", bound=Message)


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


async def grpc_call(
    address: CoordinatorAddress,
    context: ssl.SSLContext,
    method: str,
    request: Message,
    reply_type: type[_Reply],
) -> _Reply:
    """Send `request` over a fresh connection, return the answer.

    Raises:
        CallRefused: The server says no.
        NoSuchProtocol: It does not speak gRPC.
        OSError: There is no connection, or no longer.
    """
    channel = _Channel(address.host, address.port, ssl=context)
    stub: UnaryUnaryMethod[Message, _Reply] = UnaryUnaryMethod(channel, method, type(request), reply_type)
    try:
        async with stub.open() as stream:
            try:
                await stream.send_message(request, end=True)
                reply = await stream.recv_message()
                await stream.recv_trailing_metadata()
            except GRPCError as error:
                raise _refused(error, stream.trailing_metadata) from error
    except GRPCError as error:
        raise HungUp(str(error)) from error
    except ProtocolError as error:
        raise NoSuchProtocol(str(error)) from error
    except StreamTerminatedError as error:
        raise HungUp(str(error)) from error
    finally:
        await channel.end()
    if reply is None:
        raise NoSuchProtocol("no answer")
    return reply


def _refused(error: GRPCError, trailing: object) -> CallRefused | NoSuchProtocol:
    detail = _detail(trailing)
    if detail is None and error.status.value == Status.UNKNOWN:
        return NoSuchProtocol(error.message or "")  # grpclib's word for an answer that is no gRPC
    return CallRefused(Status(error.status.value), error.message or "", detail)


def _detail(trailing: object) -> ErrorDetail | None:
    raw = trailing.get(ERROR_DETAIL_KEY) if hasattr(trailing, "get") else None
    try:
        return ErrorDetail.FromString(raw) if isinstance(raw, bytes) else None
    except DecodeError:
        return None
