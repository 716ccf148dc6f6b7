"""Evidence of an Azure confidential VM: swtpm with the paravisor's report in it, Azure's service over HTTP.

The hardware below is simulated, so each piece is verified as one of Azure's own would be.
"""

import json
import os
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import marble_mesh as world
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.adapters.attester.azure import ATTESTATION_KEY, HCL_REPORT, AzureAttester
from sealmesh.adapters.attester.device import open_device
from sealmesh.adapters.attester.device_choice import AzureChoice, DeviceChoice, read_device
from sealmesh.adapters.attester.endorsed import EndorsedDevice
from sealmesh.adapters.attester.metadata_service import MetadataService
from sealmesh.adapters.tpm import DEFAULT_TCTI, Tpm
from sealmesh.attestation import Family, TrustRoot, parse_endorsements, parse_evidence, verify
from sealmesh.attestation.explanation import accepting_form
from sealmesh.attestation.simulated import (
    EndorsementPlan,
    SimulatedEnclave,
    SimulatedGuest,
    SimulatedTd,
    create_chip,
    create_platform,
    create_vendor,
    issue_td_collateral,
    td_quote,
)
from sealmesh.client import verify as verify_application
from sealmesh.errors.attestation import AppraisalError, EndorserError, PlatformError, VerificationError
from sealmesh.ledger import judge_coordinator, parse_policy
from sealmesh.server.evidence import NoCollateral

NOW = datetime.now(UTC).replace(microsecond=0)
DATA = sha256(b"a Coordinator's certificate and a nonce").digest().ljust(64, b"\0")
ENCLAVE = SimulatedEnclave(
    unique_id=b"\x01" * 32, signer_id=b"\x02" * 32, product_id=1, security_version=1, debug=False
)
CHIP = create_chip(now=NOW, entropy=os.urandom)
PLATFORM = create_platform(create_vendor(now=NOW, entropy=os.urandom), now=NOW, entropy=os.urandom)
TD = SimulatedTd.of(ENCLAVE)
SNP, TDX = 2, 4


def base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def pem(*certificates: bytes) -> str:
    return b"".join(
        x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in certificates
    ).decode()


def hcl_report(hardware: int, modulus: bytes) -> bytes:
    """The paravisor's report, as Microsoft describes it; its claims name the vTPM's key."""
    key = {"kid": "HCLAkPub", "kty": "RSA", "key_ops": ["sign"], "e": "AQAB", "n": base64url(modulus)}
    claims = json.dumps({"keys": [key], "vm-configuration": {"secure-boot": True}}).encode()
    bound = sha256(claims).digest().ljust(64, b"\0")
    if hardware == SNP:
        below = CHIP.report(SimulatedGuest.of(ENCLAVE), bound)[:1184]
    else:
        below = td_report(bound).ljust(1184, b"\0")
    data = b"".join(value.to_bytes(4, "little") for value in (20 + len(claims), 1, hardware, 1, len(claims)))
    sizes = (2, 32 + 1184 + 20 + len(claims), 2, 0)
    header = b"HCLA" + b"".join(value.to_bytes(4, "little") for value in sizes) + bytes(12)
    return header + below + data + claims


def td_report(bound: bytes) -> bytes:
    """The TDREPORT of which the simulated TD's quote is."""
    body = parse_evidence(td_quote(PLATFORM, TD, bound)).dcap.body
    report = bytearray(1024)
    report[264:384], report[512:912], report[128:192] = body[:120], body[120:520], body[520:584]
    return bytes(report)


class Vtpm:
    """swtpm made up as Azure's: the key at its handle, the report at its index."""

    def __init__(self, tcti: str) -> None:
        self.tpm = Tpm(tcti)
        lib = self.tpm.library
        with self.tpm.connected() as tpm:
            template = lib.TPM2B_PUBLIC.parse(
                "rsa2048:rsassa-sha256:null",
                objectAttributes=lib.TPMA_OBJECT.USERWITHAUTH
                | lib.TPMA_OBJECT.RESTRICTED
                | lib.TPMA_OBJECT.SIGN_ENCRYPT
                | lib.TPMA_OBJECT.FIXEDTPM
                | lib.TPMA_OBJECT.FIXEDPARENT
                | lib.TPMA_OBJECT.SENSITIVEDATAORIGIN,
            )
            handle, public, *_ = tpm.esapi.create_primary(
                lib.TPM2B_SENSITIVE_CREATE(), template, lib.ESYS_TR.OWNER
            )
            with tpm.flushed(handle):
                tpm.esapi.evict_control(lib.ESYS_TR.OWNER, handle, ATTESTATION_KEY)
            self.modulus = bytes(public.publicArea.unique.rsa)

    def keep(self, report: bytes) -> None:
        """Write the report, which is shorter than its index; zeros are behind it."""
        lib = self.tpm.library
        size = 2048  # the most that swtpm has in one index
        with self.tpm.connected() as tpm:
            self._forget(tpm)
            attributes = lib.TPMA_NV.OWNERREAD | lib.TPMA_NV.OWNERWRITE | lib.TPMA_NV.NO_DA
            public = lib.TPMS_NV_PUBLIC(
                nvIndex=HCL_REPORT, nameAlg=lib.TPM2_ALG.SHA256, attributes=attributes, dataSize=size
            )
            handle = tpm.esapi.nv_define_space(
                lib.TPM2B_AUTH(), lib.TPM2B_NV_PUBLIC(nvPublic=public), auth_handle=lib.ESYS_TR.OWNER
            )
            whole = report.ljust(size, b"\0")
            for start in range(0, size, 1024):
                tpm.esapi.nv_write(handle, whole[start : start + 1024], start, auth_handle=lib.ESYS_TR.OWNER)

    def forget(self) -> None:
        with self.tpm.connected() as tpm:
            self._forget(tpm)

    def _forget(self, tpm: Any) -> None:
        lib = self.tpm.library
        _, found = tpm.esapi.get_capability(lib.TPM2_CAP.HANDLES, HCL_REPORT, 1)
        if HCL_REPORT in [int(handle) for handle in found.data.handles]:
            handle = tpm.esapi.tr_from_tpmpublic(HCL_REPORT)
            tpm.esapi.nv_undefine_space(handle, auth_handle=lib.ESYS_TR.OWNER)


@dataclass
class Azure:
    """The metadata service; what it answers is a test's to change."""

    base: str
    answers: dict[str, Callable[[dict[str, Any]], tuple[int, bytes]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def reset(self) -> None:
        self.asked.clear()
        self.answers = {
            "GET /metadata/THIM/amd/certification": lambda _: (
                200,
                json.dumps(
                    {"vcekCert": pem(CHIP.vcek), "certificateChain": pem(CHIP.ask, CHIP.ark)}
                ).encode(),
            ),
            "POST /acc/tdquote": lambda asked: (200, json.dumps({"quote": quoted(asked)}).encode()),
        }


def quoted(asked: dict[str, Any]) -> str:
    text = asked["report"]
    report = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    assert len(report) == 1024
    return base64url(td_quote(PLATFORM, TD, report[128:192]) + bytes(64))


@pytest.fixture(scope="module")
def service() -> Iterator[Azure]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/json"
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, asked: dict[str, Any]) -> None:
            known = azure.answers.get(f"{self.command} {self.path}")
            azure.asked.append(f"{self.command} {self.path}")
            status, body = known(asked) if known and self.headers["Metadata"] == "true" else (400, b"{}")
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    azure = Azure(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield azure
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def azure(service: Azure) -> Azure:
    service.reset()
    return service


@pytest.fixture(scope="module")
def vtpm(tpm: Any) -> Vtpm:
    tpm.extend(4)
    return Vtpm(tpm.tcti)


@pytest.fixture
def attester(tpm: Any, azure: Azure) -> AzureAttester:
    choice = read_device(f"azure:{tpm.tcti}?imds={azure.base}")
    assert choice == AzureChoice(tcti=tpm.tcti, metadata=azure.base)
    device = open_device(choice)
    assert isinstance(device, AzureAttester)
    return device


def azure_root(root: TrustRoot) -> TrustRoot:
    return replace(root, family=Family.AZURE)


SNP_ROOT = azure_root(CHIP.trust_root)
TDX_ROOT = azure_root(PLATFORM.vendor.trust_root_for(Family.TDX))


def policy(raw: bytes, root: TrustRoot) -> Any:
    form = accepting_form(parse_evidence(raw))
    return replace(
        parse_policy(json.dumps({"Coordinator": {"Evidence": [form]}}).encode()), trust_roots=(root,)
    )


def test_a_vm_on_snp_gives_evidence_that_its_policy_accepts(
    vtpm: Vtpm, azure: Azure, attester: AzureAttester
) -> None:
    vtpm.keep(hcl_report(SNP, vtpm.modulus))
    raw = attester.evidence(DATA)
    judged = judge_coordinator(raw, attester.endorsements(), policy(raw, SNP_ROOT), report_data=DATA, now=NOW)
    assert (judged.family, judged.root) == (Family.AZURE, SNP_ROOT)
    assert judged.claims.nonce == DATA[:32]
    assert judged.claims.vm_configuration["secure-boot"] is True
    with pytest.raises(AppraisalError, match="ReportData"):
        judge_coordinator(raw, attester.endorsements(), policy(raw, SNP_ROOT), report_data=bytes(64), now=NOW)


def test_a_vm_on_tdx_gives_evidence_that_its_policy_accepts(
    vtpm: Vtpm, azure: Azure, attester: AzureAttester
) -> None:
    vtpm.keep(hcl_report(TDX, vtpm.modulus))
    raw = attester.evidence(DATA)
    assert attester.endorsements() == b""
    collateral = issue_td_collateral(PLATFORM.vendor, EndorsementPlan(issued=NOW - timedelta(hours=1)))
    judged = judge_coordinator(raw, collateral, policy(raw, TDX_ROOT), report_data=DATA, now=NOW)
    assert (judged.family, judged.root) == (Family.AZURE, TDX_ROOT)


def test_azure_is_asked_once_for_one_report(vtpm: Vtpm, azure: Azure, attester: AzureAttester) -> None:
    vtpm.keep(hcl_report(SNP, vtpm.modulus))
    first, second = attester.evidence(DATA), attester.evidence(bytes(63) + b"\1")
    assert first != second
    assert azure.asked == ["GET /metadata/THIM/amd/certification"]
    vtpm.keep(hcl_report(TDX, vtpm.modulus))
    attester.evidence(DATA)
    assert azure.asked[1:] == ["POST /acc/tdquote"]


def test_what_azure_said_is_asked_again_after_an_hour(vtpm: Vtpm, azure: Azure, tpm: Any) -> None:
    vtpm.keep(hcl_report(SNP, vtpm.modulus))
    now = [NOW]
    attester = AzureAttester(Tpm(tpm.tcti), MetadataService(azure.base), clock=lambda: now[0])
    attester.evidence(DATA)
    now[0] += timedelta(minutes=61)
    attester.evidence(DATA)
    assert len(azure.asked) == 2


def test_a_coordinator_shows_amds_certificates_with_it(
    vtpm: Vtpm, azure: Azure, attester: AzureAttester
) -> None:
    vtpm.keep(hcl_report(SNP, vtpm.modulus))
    own = EndorsedDevice(attester, NoCollateral())
    raw = own.evidence(DATA)
    assert own.endorsements(raw).decode() == pem(CHIP.ask, CHIP.ark)
    assert not own.simulated
    vtpm.keep(hcl_report(TDX, vtpm.modulus))
    with pytest.raises(EndorserError):
        NoCollateral().collateral_for(parse_evidence(raw))
    assert own.endorsements(own.evidence(DATA)) == b""


def test_a_key_that_the_paravisor_does_not_name_is_refused(
    vtpm: Vtpm, azure: Azure, attester: AzureAttester
) -> None:
    vtpm.keep(hcl_report(SNP, vtpm.modulus[:-1] + bytes([vtpm.modulus[-1] ^ 2])))
    raw = attester.evidence(DATA)
    evidence = parse_evidence(raw)
    with pytest.raises(VerificationError) as caught:
        verify(evidence, parse_endorsements(evidence, attester.endorsements()), roots=[SNP_ROOT], now=NOW)
    assert caught.value.code == "signature:quote"


def test_a_machine_without_the_report_is_no_azure_vm(
    vtpm: Vtpm, azure: Azure, attester: AzureAttester
) -> None:
    vtpm.forget()
    with pytest.raises(PlatformError, match="no vTPM of an Azure confidential VM"):
        attester.evidence(DATA)
    vtpm.keep(b"something else")
    with pytest.raises(PlatformError, match="no vTPM of an Azure confidential VM"):
        attester.evidence(DATA)
    assert azure.asked == []


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b"{}"),
        (200, b""),
        (200, b"[]"),
        (200, b"[" * 100_000),
        (200, b'{"vcekCert": "x", "certificateChain": "y"}'),
        (200, b'{"vcekCert": 1}'),
        (200, b'{"x": "' + b"y" * 300_000 + b'"}'),
    ],
)
def test_an_answer_of_azure_that_is_none_is_refused(
    vtpm: Vtpm, azure: Azure, attester: AzureAttester, status: int, body: bytes
) -> None:
    vtpm.keep(hcl_report(SNP, vtpm.modulus))
    azure.answers["GET /metadata/THIM/amd/certification"] = lambda _: (status, body)
    with pytest.raises(PlatformError, match="metadata service does not give"):
        attester.evidence(DATA)


@pytest.mark.parametrize("body", [b"{}", b'{"quote": ""}', b'{"quote": 1}', b'{"quote": "*"}'])
def test_a_td_quote_that_is_none_is_refused(
    vtpm: Vtpm, azure: Azure, attester: AzureAttester, body: bytes
) -> None:
    vtpm.keep(hcl_report(TDX, vtpm.modulus))
    azure.answers["POST /acc/tdquote"] = lambda _: (200, body)
    with pytest.raises(PlatformError, match="metadata service does not give"):
        attester.evidence(DATA)


def test_a_service_that_is_not_there_is_said(vtpm: Vtpm, tpm: Any) -> None:
    vtpm.keep(hcl_report(SNP, vtpm.modulus))
    with pytest.raises(PlatformError, match="metadata service does not give") as caught:
        AzureAttester(Tpm(tpm.tcti), MetadataService("http://127.0.0.1:1")).evidence(DATA)
    assert "http://127.0.0.1:1" in caught.value.remedy


def test_it_is_found_by_itself_on_a_vm_of_azure_with_a_vtpm(tpm: Any) -> None:
    there = {"/dev/tpmrm0", "/sys/class/dmi/id/chassis_asset_tag"}

    def found(tag: str) -> Any:
        return open_device(
            DeviceChoice("auto"), exists=lambda path: str(path) in there, read_text=lambda _: tag
        )

    assert isinstance(found("7783-7084-3265-9085-8269-3286-77\n"), AzureAttester)
    with pytest.raises(PlatformError, match="shows no TEE"):
        found("Somebody else's chassis\n")


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("azure", AzureChoice()),
        ("azure:device:/dev/tpm0", AzureChoice(tcti="device:/dev/tpm0")),
        ("azure?imds=http://127.0.0.1:80", AzureChoice(metadata="http://127.0.0.1:80")),
        ("azure:", None),
        ("azure?imds=https://elsewhere.example", None),
        ("azure?imds=http://host/path", None),
        ("azure?pcrs=sha256:0", None),
    ],
)
def test_the_vm_is_named(text: str, choice: AzureChoice | None) -> None:
    assert read_device(text) == choice
    assert AzureChoice().tcti == DEFAULT_TCTI


def test_a_coordinator_on_azure_is_verified_and_seals_nothing_without_a_named_sealer(
    vtpm: Vtpm, azure: Azure, tpm: Any, tmp_path: Path
) -> None:
    vtpm.keep(hcl_report(SNP, vtpm.modulus))
    mesh = world.Mesh(tmp_path, f"azure:{tpm.tcti}?imds={azure.base}")
    mesh.policy["TrustRoots"] = [{"Name": "lab", "SHA256": SNP_ROOT.sha256.hex(), "Family": "azure"}]
    (tmp_path / "policy.json").write_text(json.dumps(mesh.policy))
    _, unique_id = mesh.package("shop", "pass\n")
    manifest = {"Packages": {"shop": {"UniqueID": unique_id}}, "Marbles": {"shop": {"Package": "shop"}}}
    mesh.start()
    try:
        with pytest.raises(AssertionError, match="cannot be kept by nothing"):
            mesh.set_manifest(manifest)
        assert mesh.phase() == 2
        assert not list((tmp_path / "state").glob("*"))
        mesh.set_manifest({**manifest, "Config": {"SealMode": "Disabled"}})
        policy = parse_policy((tmp_path / "policy.json").read_bytes())
        application = verify_application(f"127.0.0.1:{mesh.client_port}", policy=policy)
        assert (application.evidence.family, application.evidence.root.name) == (Family.AZURE, "lab")
        assert not application.simulation
    finally:
        mesh.kill()
