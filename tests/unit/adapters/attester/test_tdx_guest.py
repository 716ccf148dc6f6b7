"""A TD by `/dev/tdx_guest`: the driver emulated as its header defines it, and a QGS behind a socket."""

import ctypes
import errno
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sealmesh.adapters.attester.device import open_device
from sealmesh.adapters.attester.device_choice import DeviceChoice, TdxGuestChoice, read_device
from sealmesh.adapters.attester.quoting_service import QuotingService, configured_port
from sealmesh.adapters.attester.tdx_guest import TDX_CMD_GET_REPORT0, ReportRequest, TdxGuestAttester
from sealmesh.attestation import Family, parse_endorsements, parse_evidence, verify
from sealmesh.attestation.simulated import (
    EndorsementPlan,
    SimulatedEnclave,
    SimulatedPlatform,
    SimulatedTd,
    create_platform,
    create_vendor,
    issue_td_collateral,
    td_quote,
)
from sealmesh.errors.attestation import PlatformError

NOW = datetime(2031, 3, 1, 12, tzinfo=UTC)
DATA = b"\x07" * 32
FILLED = DATA + bytes(32)
TD = SimulatedTd.of(
    SimulatedEnclave(
        unique_id=b"\x01" * 32, signer_id=b"\x02" * 32, product_id=1, security_version=1, debug=False
    )
)
REPORT_DATA = slice(128, 192)


@pytest.fixture(scope="module")
def platform() -> SimulatedPlatform:
    return create_platform(create_vendor(now=NOW, entropy=os.urandom), now=NOW, entropy=os.urandom)


class Module:
    """The tdx-guest driver: `struct tdx_report_req` in, a TDREPORT with the report data at its place."""

    def __init__(self, failure: int = 0) -> None:
        self.failure = failure

    def __call__(self, descriptor: int, request: int, call: ctypes.Structure) -> int:
        assert ctypes.sizeof(ReportRequest) == 64 + 1024
        assert request == TDX_CMD_GET_REPORT0 == (3 << 30) | (1088 << 16) | (ord("T") << 8) | 1
        if self.failure:
            raise OSError(self.failure, os.strerror(self.failure))
        report = bytearray(1024)
        report[0] = 0x81
        report[REPORT_DATA] = bytes(call.reportdata)
        ctypes.memmove(ctypes.addressof(call) + 64, bytes(report), 1024)
        return 0


def answer(quote: bytes, *, key_id: bytes = b"", kind: int = 1, error: int = 0, major: int = 1) -> bytes:
    body = struct.pack("<II", len(key_id), len(quote)) + key_id + quote
    return struct.pack("<HHIII", major, 1, kind, 16 + len(body), error) + body


def framed(message: bytes) -> bytes:
    return struct.pack(">I", len(message)) + message


def read_exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += connection.recv(count - len(data))
    return data


class QuotingHost:
    """The host's service on a UNIX socket: what it answers, and in which pieces, is a test's."""

    def __init__(self, path: Path, reply: Callable[[bytes], bytes], piece: int) -> None:
        self.path, self._reply, self._piece = path, reply, piece
        self.ports: list[int] = []
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def connect(self, port: int) -> socket.socket:
        self.ports.append(port)
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(20)
        connection.connect(str(self.path))
        return connection

    def stop(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection:
                (length,) = struct.unpack(">I", read_exactly(connection, 4))
                message = read_exactly(connection, length)
                major, minor, kind, size, error = struct.unpack_from("<HHIII", message)
                report_size, key_ids = struct.unpack_from("<II", message, 16)
                assert (major, minor, kind, size, error) == (1, 1, 0, length, 0)
                assert (report_size, key_ids, length) == (1024, 0, 24 + 1024)
                whole = self._reply(message[24:])
                for start in range(0, len(whole), self._piece):
                    connection.sendall(whole[start : start + self._piece])


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Callable[..., QuotingHost]]:
    started: list[QuotingHost] = []

    def start(reply: Callable[[bytes], bytes], *, piece: int = 1 << 16) -> QuotingHost:
        started.append(QuotingHost(tmp_path / "qgs", reply, piece))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def attester(host: QuotingHost, module: Module | None = None) -> TdxGuestAttester:
    service = QuotingService(4050, connect=host.connect)
    return TdxGuestAttester(Path("/dev/null"), service, ioctl=module or Module())


@pytest.mark.parametrize("key_id", [b"", b"\x11" * 16])
@pytest.mark.parametrize("piece", [1 << 16, 7])
def test_a_td_gives_a_quote_that_verifies(
    host: Any, platform: SimulatedPlatform, key_id: bytes, piece: int
) -> None:
    def quoted(report: bytes) -> bytes:
        return framed(answer(td_quote(platform, TD, report[REPORT_DATA]), key_id=key_id))

    service = host(quoted, piece=piece)
    evidence = parse_evidence(attester(service).evidence(DATA))
    assert (evidence.family, evidence.quote.report.report_data) == (Family.TDX, FILLED)
    assert service.ports == [4050]
    collateral = issue_td_collateral(platform.vendor, EndorsementPlan(issued=NOW - timedelta(hours=1)))
    root = platform.vendor.trust_root_for(Family.TDX)
    verified = verify(evidence, parse_endorsements(evidence, collateral), roots=[root], now=NOW)
    assert verified.root == root


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        (framed(answer(b"", error=0x12001)), "error 0x12001"),
        (framed(answer(b"")), "a quote of 0 bytes"),
        (framed(answer(b"quote", kind=3)), "type 3"),
        (framed(answer(b"quote", major=2)), "version 2"),
        (framed(answer(b"quote")[:-1]), "size"),
        (framed(answer(b"quote") + b"x"), "size"),
        (framed(b""), "an answer of 0 bytes"),
        (framed(struct.pack("<HHIII", 1, 1, 1, 16, 0)), "an answer of 16 bytes"),
        (framed(struct.pack("<HHIIIII", 1, 1, 1, 24 + 3, 0, 1 << 31, 3) + b"abc"), "a quote of 3 bytes"),
        (struct.pack(">I", 1 << 31), "an answer of 2147483648 bytes"),
        (b"", "0 of 4 bytes"),
        (framed(answer(b"quote"))[:-2], "bytes"),
    ],
)
def test_an_answer_without_a_quote_is_refused(host: Any, reply: bytes, found: str) -> None:
    with pytest.raises(PlatformError, match=r"Quote Generation Service gives no quote") as caught:
        attester(host(lambda _: reply)).evidence(DATA)
    assert found in str(caught.value.found)


def test_a_service_that_is_not_there_is_said_with_its_port(tmp_path: Path) -> None:
    def nobody(port: int) -> socket.socket:
        raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")

    device = TdxGuestAttester(Path("/dev/null"), QuotingService(4051, connect=nobody), ioctl=Module())
    with pytest.raises(PlatformError, match=r"vsock port 4051 .*refused") as caught:
        device.evidence(DATA)
    assert "tdx-attest.conf" in caught.value.remedy


def test_where_there_is_no_host_the_real_connection_says_so() -> None:
    with pytest.raises(PlatformError, match="vsock port 4050"):
        QuotingService(4050).quote(bytes(1024))


def test_a_module_that_refuses_is_said_and_nobody_is_asked_for_a_quote(host: Any) -> None:
    service = host(lambda _: b"")
    with pytest.raises(PlatformError, match="TDX module gives no report"):
        attester(service, Module(failure=errno.EIO)).evidence(DATA)
    assert service.ports == []


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("port=4051\n", 4051),
        ("# port=1\n  port =  4052  \nport=9\n", 4052),
        ("ports=1\n", 4050),
        ("", 4050),
        ("port=4294967295", 4294967295),
    ],
)
def test_the_port_stands_where_intels_library_reads_it(tmp_path: Path, text: str, port: int) -> None:
    path = tmp_path / "tdx-attest.conf"
    path.write_text(text)
    assert configured_port(path) == port
    assert configured_port(tmp_path / "missing") == 4050


@pytest.mark.parametrize("content", [b"port=0\n", b"port=4294967296\n", b"port=\xff\n"])
def test_a_port_that_there_cannot_be_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tdx-attest.conf"
    path.write_bytes(content)
    with pytest.raises(PlatformError, match="names no port"):
        configured_port(path)


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("tdx-guest", TdxGuestChoice()),
        ("tdx-guest:/dev/tdx", TdxGuestChoice(path=Path("/dev/tdx"))),
        ("tdx-guest?port=4051", TdxGuestChoice(port=4051)),
        ("tdx-guest:/dev/tdx?port=1", TdxGuestChoice(path=Path("/dev/tdx"), port=1)),
        ("tdx-guest:", None),
        ("tdx-guest?port=0", None),
        ("tdx-guest?port=4294967296", None),
        ("tdx-guest?port=x", None),
        ("tdx-guest?cid=3", None),
    ],
)
def test_the_device_is_named(text: str, choice: TdxGuestChoice | None) -> None:
    assert read_device(text) == choice


def test_it_is_found_by_itself_behind_configfs_and_before_nothing() -> None:
    there = {"/dev/tdx_guest"}
    found = open_device(DeviceChoice("auto"), exists=lambda path: str(path) in there)
    assert isinstance(found, TdxGuestAttester)
    there.add("/sys/kernel/config/tsm/report")
    assert not isinstance(
        open_device(DeviceChoice("auto"), exists=lambda path: str(path) in there), TdxGuestAttester
    )


def test_a_named_device_and_port_are_used() -> None:
    device = open_device(TdxGuestChoice(path=Path("/dev/null"), port=4051))
    assert "/dev/null and vsock port 4051" in device.describe()
    with pytest.raises(PlatformError, match="/dev/null: Inappropriate ioctl"):
        device.evidence(DATA)
