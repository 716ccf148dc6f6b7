"""Evidence from the interfaces of real TEEs, emulated as kernel and Gramine define them."""

import ctypes
import errno
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import cbor2
import pytest

from sealmesh.adapters.attester.device import open_device
from sealmesh.adapters.attester.device_choice import DeviceChoice, read_device
from sealmesh.adapters.attester.gramine import GramineAttester
from sealmesh.adapters.attester.nsm import NSM_IOCTL_RAW, NsmAttester, NsmMessage
from sealmesh.adapters.attester.sev_guest import (
    SNP_GET_EXT_REPORT,
    ExtendedReportRequest,
    ReportResponse,
    SevGuestAttester,
)
from sealmesh.adapters.attester.tsm import TsmAttester
from sealmesh.adapters.sev_guest import GuestRequest
from sealmesh.attestation import Family, SnpCollateral, Unchecked, parse_evidence, verify
from sealmesh.attestation.self_contained import NoCollateral
from sealmesh.attestation.simulated import (
    SimulatedChip,
    SimulatedEnclave,
    SimulatedGuest,
    SimulatedNitroEnclave,
    SimulatedPlatform,
    SimulatedTd,
    create_chip,
    create_hypervisor,
    create_platform,
    create_vendor,
    td_quote,
)
from sealmesh.errors.attestation import PlatformError
from sealmesh.marble.config import read_configuration
from sealmesh.marble.credentials import MarbleKey, report_data
from sealmesh.marble.program import MeasuredProgram
from sealmesh.marble.running import _applicant

NOW = datetime(2031, 3, 1, 12, tzinfo=UTC)
DATA = b"\x07" * 32
FILLED = DATA + bytes(32)
ENCLAVE = SimulatedEnclave(
    unique_id=b"\x01" * 32, signer_id=b"\x02" * 32, product_id=1, security_version=1, debug=False
)


@pytest.fixture(scope="module")
def platform() -> SimulatedPlatform:
    return create_platform(create_vendor(now=NOW, entropy=os.urandom), now=NOW, entropy=os.urandom)


@pytest.fixture(scope="module")
def chip() -> SimulatedChip:
    return create_chip(now=NOW, entropy=os.urandom)


# Gramine


@pytest.fixture
def gramine(tmp_path: Path, platform: SimulatedPlatform, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Emulate `/dev/attestation`: what is written to one file decides what the other gives."""
    (tmp_path / "attestation_type").write_text("dcap")
    (tmp_path / "user_report_data").write_bytes(bytes(64))
    (tmp_path / "quote").write_bytes(b"")
    read = Path.read_bytes

    def quoting(path: Path) -> bytes:
        if path == tmp_path / "quote":
            return platform.quote(ENCLAVE, read(tmp_path / "user_report_data"))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", quoting)
    return tmp_path


def test_gramine_quotes_what_was_written(gramine: Path) -> None:
    evidence = parse_evidence(GramineAttester(gramine).evidence(DATA))
    assert evidence.family is Family.SGX
    assert evidence.quote.report.report_data == FILLED


def test_a_marble_in_an_enclave_shows_the_quote_over_its_certificate(gramine: Path, tmp_path: Path) -> None:
    options = {"attester": f"gramine:{gramine}", "type": "shop", "uuid-file": str(tmp_path / "uuid")}
    applicant = _applicant(read_configuration((), options, {}), cast(MeasuredProgram, None), lambda: NOW)
    certificate = MarbleKey.generate(256).self_signed(now=NOW)
    quote = parse_evidence(applicant.evidence(certificate)).quote
    assert quote.report.report_data == report_data(certificate).ljust(64, b"\0")


@pytest.mark.parametrize("kind", ["none", "epid", ""])
def test_gramine_without_dcap_gives_nothing_and_nothing_is_written(gramine: Path, kind: str) -> None:
    (gramine / "attestation_type").write_text(kind)
    with pytest.raises(PlatformError, match="attestation type"):
        GramineAttester(gramine).evidence(DATA)
    assert not any((gramine / "user_report_data").read_bytes())


# configfs-tsm


class Configfs:
    """`tsm/report` as the kernel makes it: attributes come with a directory, `outblob` with `inblob`."""

    def __init__(self, root: Path, provider: str, answer: Callable[[bytes], tuple[bytes, bytes]]) -> None:
        self.root, self.provider, self.answer = root, provider, answer
        self.requests: list[Path] = []
        self.meddle = 0
        self._mkdir, self._rmdir, self._write = os.mkdir, os.rmdir, os.write

    def mkdir(self, path: Any, mode: int = 0o777, **more: Any) -> None:
        self._mkdir(path, mode, **more)
        if Path(path).parent == self.root:
            self.requests.append(Path(path))
            for name, content in {"generation": "0", "provider": self.provider, "inblob": ""}.items():
                (Path(path) / name).write_text(content + "\n" * bool(content))

    def rmdir(self, path: Any, **more: Any) -> None:
        if Path(path).parent == self.root:
            for attribute in Path(path).iterdir():
                attribute.unlink()
        self._rmdir(path, **more)

    def write(self, descriptor: int, data: bytes) -> int:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        if path.name != "inblob":
            return self._write(descriptor, data)
        if len(data) != 64:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), str(path))
        generation = int((path.parent / "generation").read_text()) + 1 + self.meddle
        (path.parent / "generation").write_text(f"{generation}\n")
        out, aux = self.answer(data)
        (path.parent / "outblob").write_bytes(out)
        if self.provider == "sev_guest":
            (path.parent / "auxblob").write_bytes(aux)
        return len(data)


@pytest.fixture
def configfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Configfs]:
    def mount(provider: str, answer: Callable[[bytes], tuple[bytes, bytes]]) -> Configfs:
        emulated = Configfs(tmp_path, provider, answer)
        for name in ("mkdir", "rmdir", "write"):
            monkeypatch.setattr(os, name, getattr(emulated, name))
        return emulated

    return mount


def test_a_td_gives_its_quote_and_leaves_no_request(configfs: Any, platform: SimulatedPlatform) -> None:
    td = SimulatedTd.of(ENCLAVE)
    mounted = configfs("tdx_guest", lambda data: (td_quote(platform, td, data), b""))
    evidence = parse_evidence(TsmAttester(mounted.root).evidence(DATA))
    assert evidence.family is Family.TDX
    assert evidence.quote.report.report_data == FILLED
    assert len(mounted.requests) == 1
    assert list(mounted.root.iterdir()) == []


@pytest.mark.parametrize("table", [True, False])
def test_an_snp_guest_gives_its_report_with_the_hosts_certificates(
    configfs: Any, chip: SimulatedChip, table: bool
) -> None:
    def answer(data: bytes) -> tuple[bytes, bytes]:
        raw = chip.report(SimulatedGuest.of(ENCLAVE), data)
        return raw[:1184], raw[1184:] if table else bytes(4096)

    mounted = configfs("sev_guest", answer)
    evidence = parse_evidence(TsmAttester(mounted.root).evidence(DATA))
    assert evidence.family is Family.SNP
    assert evidence.quote.report_data == FILLED
    assert bool(evidence.quote.certificates) is table


def test_a_request_that_another_wrote_to_is_thrown_away(configfs: Any) -> None:
    mounted = configfs("tdx_guest", lambda data: (b"evidence over other data", b""))
    mounted.meddle = 1
    with pytest.raises(PlatformError, match="somebody else wrote"):
        TsmAttester(mounted.root).evidence(DATA)
    assert list(mounted.root.iterdir()) == []


@pytest.mark.parametrize(
    ("provider", "out", "found"),
    [
        ("tpm_guest", b"x", "tpm_guest"),
        ("tdx_guest", b"", "nothing"),
        ("tdx_guest", bytes(70000), "more than"),
    ],
)
def test_an_answer_that_is_no_evidence_is_refused(
    configfs: Any, provider: str, out: bytes, found: str
) -> None:
    mounted = configfs(provider, lambda data: (out, b""))
    with pytest.raises(PlatformError, match=found):
        TsmAttester(mounted.root).evidence(DATA)
    assert list(mounted.root.iterdir()) == []


# /dev/sev-guest


class Firmware:
    """The sev-guest driver: checks what the kernel checks, answers as the firmware does."""

    def __init__(self, chip: SimulatedChip, *, table: bool = True, status: int = 0) -> None:
        self.chip, self.table, self.status = chip, table, status

    def __call__(self, descriptor: int, request: int, call: ctypes.Structure) -> int:
        assert ctypes.sizeof(GuestRequest) == 32
        assert ctypes.sizeof(ExtendedReportRequest) == 112
        assert ctypes.sizeof(ReportResponse) == 4000
        assert request == SNP_GET_EXT_REPORT == (3 << 30) | (32 << 16) | (ord("S") << 8) | 2
        asked = ExtendedReportRequest.from_address(call.req_data)
        answer = ReportResponse.from_address(call.resp_data)
        if call.msg_version != 1 or asked.vmpl > 3 or any(asked.rsvd):
            raise OSError(errno.EINVAL, "Invalid argument")
        if asked.certs_len > 0x4000 or asked.certs_len % 4096:
            raise OSError(errno.EINVAL, "Invalid argument")
        answer.status = self.status
        if self.status:
            return 0
        raw = self.chip.report(SimulatedGuest.of(ENCLAVE), bytes(asked.user_data))
        answer.report_size = 1184
        ctypes.memmove(ctypes.addressof(answer) + 32, raw[:1184], 1184)
        if self.table:
            ctypes.memmove(asked.certs_address, raw[1184:], len(raw) - 1184)
        return 0


@pytest.mark.parametrize("table", [True, False])
def test_sev_guest_gives_a_report_that_verifies(chip: SimulatedChip, table: bool) -> None:
    attester = SevGuestAttester(Path("/dev/null"), ioctl=Firmware(chip, table=table))
    evidence = parse_evidence(attester.evidence(DATA))
    assert evidence.quote.report_data == FILLED
    assert len(evidence.raw) < 8192
    collateral = SnpCollateral(
        leaf=None if table else chip.vcek,
        candidates=() if table else (chip.ask, chip.ark),
        crl=Unchecked(),
    )
    assert verify(evidence, collateral, roots=[chip.trust_root], now=NOW).family is Family.SNP


def test_a_report_that_the_firmware_refuses_is_none(chip: SimulatedChip) -> None:
    with pytest.raises(PlatformError, match="status 0x16"):
        SevGuestAttester(Path("/dev/null"), ioctl=Firmware(chip, status=0x16)).evidence(DATA)


def test_a_device_that_is_no_sev_guest_is_said() -> None:
    with pytest.raises(PlatformError, match="/dev/null: Inappropriate ioctl"):
        SevGuestAttester(Path("/dev/null")).evidence(DATA)


# /dev/nsm


class SecurityModule:
    """The nsm driver: CBOR in, CBOR out."""

    def __init__(self, answer: Callable[[dict[str, Any]], Any]) -> None:
        self.answer = answer

    def __call__(self, descriptor: int, request: int, message: ctypes.Structure) -> int:
        assert ctypes.sizeof(NsmMessage) == 32
        assert request == NSM_IOCTL_RAW == (3 << 30) | (32 << 16) | (0x0A << 8)
        asked = cbor2.loads(ctypes.string_at(message.request_address, message.request_length))
        answer = self.answer(asked)
        raw = answer if isinstance(answer, bytes) else cbor2.dumps(answer)
        if len(raw) > message.response_length:
            raise OSError(errno.EINVAL, "Invalid argument")
        ctypes.memmove(message.response_address, raw, len(raw))
        message.response_length = len(raw)
        return 0


def test_the_security_module_gives_a_document_that_verifies() -> None:
    hypervisor = create_hypervisor(now=NOW, entropy=os.urandom)
    asked: list[Any] = []

    def answer(request: dict[str, Any]) -> Any:
        asked.append(request)
        data = request["Attestation"]["user_data"]
        document = hypervisor.document(SimulatedNitroEnclave.of(ENCLAVE), data, now=NOW)
        return {"Attestation": {"document": document}}

    raw = NsmAttester(Path("/dev/null"), ioctl=SecurityModule(answer)).evidence(DATA)
    assert asked == [{"Attestation": {"user_data": FILLED, "nonce": None, "public_key": None}}]
    verified = verify(parse_evidence(raw), NoCollateral(), roots=[hypervisor.trust_root], now=NOW)
    assert verified.claims.user_data == FILLED


@pytest.mark.parametrize(
    "answer",
    [
        {"Error": "InvalidOperation"},
        {"Attestation": {"document": b""}},
        {"Attestation": []},
        ["Attestation"],
        b"\xff",
        b"",
    ],
)
def test_an_answer_without_a_document_is_refused(answer: Any) -> None:
    with pytest.raises(PlatformError, match="security module gives no document"):
        NsmAttester(Path("/dev/null"), ioctl=SecurityModule(lambda _: answer)).evidence(DATA)


# which


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("auto", DeviceChoice("auto")),
        ("tsm", DeviceChoice("tsm")),
        ("gramine:/x", DeviceChoice("gramine", Path("/x"))),
        ("tsm:", None),
        ("auto:/x", None),
        ("simulated", None),
        ("", None),
    ],
)
def test_a_device_is_named(text: str, choice: DeviceChoice | None) -> None:
    assert read_device(text) == choice


@pytest.mark.parametrize(
    ("there", "kind"),
    [
        (("/dev/attestation", "/sys/kernel/config/tsm/report"), GramineAttester),
        (("/sys/kernel/config/tsm/report", "/dev/sev-guest"), TsmAttester),
        (("/dev/sev-guest",), SevGuestAttester),
        (("/dev/nsm",), NsmAttester),
    ],
)
def test_the_tee_is_found_by_itself(there: tuple[str, ...], kind: type) -> None:
    assert isinstance(open_device(DeviceChoice("auto"), exists=lambda path: str(path) in there), kind)


def test_a_machine_without_a_tee_is_said() -> None:
    with pytest.raises(PlatformError, match="simulated"):
        open_device(DeviceChoice("auto"), exists=lambda _: False)


@pytest.mark.parametrize("kind", ["gramine", "nitro", "tsm", "sev-guest"])
def test_a_device_that_is_not_there_is_said_with_its_path(kind: str, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    device = open_device(DeviceChoice(kind, missing))
    assert str(missing) in device.describe()
    with pytest.raises(PlatformError, match="missing") as caught:
        device.evidence(DATA)
    assert caught.value.remedy
