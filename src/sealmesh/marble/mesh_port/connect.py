"""A unary Connect call over HTTP/1.1; `h11` does the protocol."""

import asyncio
import ssl
from typing import Final

import h11

from sealmesh.marble.config import CoordinatorAddress
from sealmesh.marble.mesh_port.outcome import CallRefused, HungUp, NoSuchProtocol
from sealmesh.wire.connect import MESSAGE_TYPE, REFUSAL_TYPE, VERSION, VERSION_HEADER, parse_refusal

#: Four times what gRPC's clients take: all files of a Marble come in one answer.
MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
#: What ours say is an eighth of it, and all of it may be shown to a person.
MAX_REFUSAL_BYTES: Final = 64 * 1024
_READ_BYTES: Final = 65536


async def connect_call(
    address: CoordinatorAddress, context: ssl.SSLContext, method: str, message: bytes
) -> bytes:
    """Send `message` over a fresh connection, return the answer's.

    Raises:
        CallRefused: The server says no.
        NoSuchProtocol: It does not speak Connect.
        OSError: There is no connection, or no longer.
    """
    reader, writer = await asyncio.open_connection(address.host, address.port, ssl=context)
    try:
        head, body = await _exchange(reader, writer, address, method, message)
    except h11.RemoteProtocolError as error:
        raise NoSuchProtocol(str(error)) from error
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)  # a loop that is over closes no sockets; its next turn does
    return _message(head, body)


async def _exchange(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    address: CoordinatorAddress,
    method: str,
    message: bytes,
) -> tuple[h11.Response, bytes]:
    http = h11.Connection(h11.CLIENT)
    request = h11.Request(
        method="POST",
        target=method,
        headers=[
            ("host", str(address)),
            ("content-type", MESSAGE_TYPE),
            (VERSION_HEADER, VERSION),
            ("content-length", str(len(message))),
        ],
    )
    for event in (request, h11.Data(data=message), h11.EndOfMessage()):
        writer.write(http.send(event) or b"")
    await writer.drain()
    head: h11.Response | None = None
    body = bytearray()
    while True:
        match http.next_event():
            case h11.Response() as head:
                pass
            case h11.Data(data=data):
                body += data
                if len(body) > MAX_ANSWER_BYTES:
                    raise NoSuchProtocol(f"an answer of more than {MAX_ANSWER_BYTES} bytes")
            case h11.EndOfMessage() if head is not None:
                return head, bytes(body)
            case h11.NEED_DATA:
                received = await reader.read(_READ_BYTES)
                if not received:
                    raise HungUp("the connection ended before the answer did")
                http.receive_data(received)


def _message(head: h11.Response, body: bytes) -> bytes:
    content_type = next((value for name, value in head.headers if name == b"content-type"), b"")
    if head.status_code == 200 and content_type == MESSAGE_TYPE.encode():
        return body
    if head.status_code != 200 and content_type == REFUSAL_TYPE.encode() and len(body) <= MAX_REFUSAL_BYTES:
        try:
            refusal = parse_refusal(body)
        except ValueError:
            pass
        else:
            raise CallRefused(refusal.status, refusal.text, refusal.detail)
    said = f"HTTP status {head.status_code}, {content_type.decode('latin-1') or 'no content'}"
    raise NoSuchProtocol(said)
