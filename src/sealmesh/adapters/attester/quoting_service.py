"""Intel's Quote Generation Service (QGS) on the host of a TD: turns a TDREPORT into a quote, over vsock.

Intel SGX/TDX DCAP, `qgs_msg_lib.h`: numbers are little-endian; before each message stands its length, four
bytes, big-endian.

    header    major version 1 (2), minor version (2), type (4), size of the message (4), error code (4)
    request   type 0: header, size of the report (4), size of the key ids (4), the report
    answer    type 1: header, size of the chosen key id (4), size of the quote (4), both

The port stands in `/etc/tdx-attest.conf`, as `port=4050`, for Intel's own library too.
"""

import re
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sealmesh.errors.attestation import PlatformError

CONFIGURATION: Final = Path("/etc/tdx-attest.conf")
DEFAULT_PORT: Final = 4050
_HOST: Final = 2
"""VMADDR_CID_HOST."""
_PATIENCE_SECONDS: Final = 30.0
_MAJOR, _MINOR = 1, 1
_REQUEST, _ANSWER = 0, 1
_HEADER: Final = struct.Struct("<HHIII")
_SIZES: Final = struct.Struct("<II")
_LENGTH: Final = struct.Struct(">I")
_MAX_ANSWER_BYTES: Final = 64 * 1024
_PORT_LINE: Final = re.compile(r"\s*port\s*=\s*([0-9]{1,10})\s*")


def configured_port(path: Path = CONFIGURATION) -> int:
    """Return the port that the file names; 4050 where there is no file or no such line.

    Raises:
        PlatformError: The file cannot be read, or names no port.
    """
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return DEFAULT_PORT
    except (OSError, UnicodeDecodeError) as error:
        raise _bad_file(path, str(error)) from error
    for line in lines:
        match = _PORT_LINE.fullmatch(line)
        if match is None:
            continue
        port = int(match[1])
        if not 0 < port < 1 << 32:
            raise _bad_file(path, line.strip())
        return port
    return DEFAULT_PORT


def connect_to_host(port: int) -> socket.socket:
    """Return a vsock connection to the host."""
    connection = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
    try:
        connection.settimeout(_PATIENCE_SECONDS)
        connection.connect((_HOST, port))
    except BaseException:
        connection.close()
        raise
    return connection


class QuotingService:
    """Asks the service; each quote is a connection of its own, so threads may ask at once.

    Args:
        port: Of the host.
        connect: Returns a connection to that port, for tests that have no vsock.
    """

    def __init__(self, port: int, *, connect: Callable[[int], socket.socket] = connect_to_host) -> None:
        self._port = port
        self._connect = connect

    def quote(self, report: bytes) -> bytes:
        """Return a quote of `report`, a TDREPORT.

        Raises:
            PlatformError: The service cannot be reached, refuses, or answers something else.
        """
        size = _HEADER.size + _SIZES.size + len(report)
        header = _HEADER.pack(_MAJOR, _MINOR, _REQUEST, size, 0)
        message = header + _SIZES.pack(len(report), 0) + report
        try:
            with self._connect(self._port) as connection:
                connection.sendall(_LENGTH.pack(len(message)) + message)
                (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
                if length > _MAX_ANSWER_BYTES:
                    raise _refusal(f"an answer of {length} bytes")
                answer = _exactly(connection, length)
        except OSError as error:
            raise _refusal(f"{self.describe()}: {error}") from error
        return _quote(answer)

    def describe(self) -> str:
        """Return one phrase for people."""
        return f"vsock port {self._port} of the host"


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise _refusal(f"{len(data)} of {count} bytes")
        data += piece
    return data


def _quote(answer: bytes) -> bytes:
    if len(answer) < _HEADER.size:
        raise _refusal(f"an answer of {len(answer)} bytes")
    major, _, kind, size, error = _HEADER.unpack_from(answer)
    if (major, kind, size) != (_MAJOR, _ANSWER, len(answer)):
        raise _refusal(f"version {major}, type {kind}, size {size} of {len(answer)}")
    if error:
        raise _refusal(f"error {error:#x}")
    if len(answer) < _HEADER.size + _SIZES.size:
        raise _refusal(f"an answer of {len(answer)} bytes")
    key_id, quote = _SIZES.unpack_from(answer, _HEADER.size)
    start = _HEADER.size + _SIZES.size + key_id
    if not quote or start + quote != len(answer):
        raise _refusal(f"a quote of {quote} bytes in an answer of {len(answer)}")
    return answer[start:]


def _refusal(found: str) -> PlatformError:
    return PlatformError(
        "the host's Quote Generation Service gives no quote",
        found=found,
        wanted="a quote",
        remedy=f"Have the host run Intel's QGS on the vsock port that {CONFIGURATION} names "
        f"(port={DEFAULT_PORT}), or use a kernel with configfs-tsm.",
    )


def _bad_file(path: Path, found: str) -> PlatformError:
    return PlatformError(f"{path} names no port", found=found, wanted="port=4050", remedy=f"Correct {path}.")
