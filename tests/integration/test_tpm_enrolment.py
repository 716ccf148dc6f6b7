"""Machines with a TPM join a real Coordinator of two workers, by their EK certificate; thieves do not.

Once with the simulated TPM, once with swtpm where there is one.
"""

import importlib.util
import json
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.adapters.attester import SimulatedAttester
from sealmesh.adapters.attester.package import load
from sealmesh.adapters.attester.platform import open_or_create
from sealmesh.adapters.attester.tpm import TpmAttester
from sealmesh.adapters.clock import system_clock
from sealmesh.adapters.tpm import Tpm
from sealmesh.attestation import Family, parse_evidence
from sealmesh.attestation.tpm import Bank, Credential
from sealmesh.errors.attestation import PlatformError
from sealmesh.errors.marble import ActivationRefused
from sealmesh.marble.config import CoordinatorAddress
from sealmesh.marble.credentials import OWN_KEY_BITS, MarbleKey, report_data
from sealmesh.marble.enrolment import Applicant, activate, activate_legacy, renew
from sealmesh.marble.mesh_port import ClientIdentity, call
from sealmesh.marble.program import load_measured
from sealmesh.wire.enrolment_pb2 import (
    ActivateRequest,
    ActivateResponse,
    ChallengeAnswer,
    ChallengeRequest,
    ChallengeResponse,
)
from sealmesh.wire.methods import CHALLENGE, ENROL


def _load(name: str, folder: Path) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


HERE = Path(__file__).resolve().parent
world = _load("marble_mesh", HERE)
with_chain = _load("tpm", HERE.parent / "evidence").with_chain
Manufacturer = _load("tpm_manufacturer", HERE.parent / "evidence").Manufacturer
SHOW = "import os, sys; print(os.environ['WORD']); sys.exit(5)\n"
MEASURED = 16


@dataclass(frozen=True)
class Machines:
    """Three machines with a TPM: two of a manufacturer that the configuration names, one of a forger.

    Attributes:
        choice: How `sealmesh run` names the first.
        environment: What the Coordinator is told.
        form: The Evidence that the manifest wants.
    """

    mine: Any
    another: Any
    forged: Any
    choice: str
    environment: dict[str, str]
    form: dict[str, Any]


class Stage:
    """A mesh whose package may be run by the first machine."""

    def __init__(self, folder: Path) -> None:
        self.mesh = world.Mesh(folder)
        self.package, _ = self.mesh.package("measured", SHOW)

    def start(self, machines: Machines) -> None:
        self.machines = machines
        self.mesh.start(SEALMESH_WORKERS="2", **machines.environment)
        marble = {"Package": "measured", "Parameters": {"Env": {"WORD": "hello"}}}
        self.mesh.set_manifest(
            {
                "Packages": {"measured": {"Evidence": [machines.form]}},
                "Marbles": {"measured": marble, "once": {**marble, "MaxActivations": 1}},
                "Simulation": True,
                "Config": {"FeatureGates": ["Evidence", "Simulation"]},
            }
        )

    def applicant(self, attester: Any, marble_type: str = "measured") -> Applicant:
        return Applicant(
            address=CoordinatorAddress("127.0.0.1", self.mesh.mesh_port),
            attester=attester,
            marble_type=marble_type,
            uuid=uuid.uuid4(),
            dns_names=("localhost",),
            clock=system_clock,
        )

    def join(self, attester: Any, marble_type: str = "measured") -> Any:
        policy = load_measured(self.package, ()).policy
        assert policy is not None
        return activate(self.applicant(attester, marble_type), policy)


class Connection:
    """One client certificate, and every message over it as somebody likes it."""

    def __init__(self, stage: Stage) -> None:
        self.address = CoordinatorAddress("127.0.0.1", stage.mesh.mesh_port)
        self.key = MarbleKey.generate(OWN_KEY_BITS)
        self.certificate = self.key.self_signed(now=datetime.now(UTC))
        pem = self.certificate.public_bytes(Encoding.PEM).decode()
        self.identity = ClientIdentity(certificate_chain=pem, key=self.key.pem)

    def evidence(self, machine: Any) -> bytes:
        return bytes(machine.evidence(report_data(self.certificate)))

    def challenge(self, raw: bytes) -> ChallengeResponse:
        request = ChallengeRequest(evidence=raw)
        return call(self.address, self.identity, CHALLENGE, request, ChallengeResponse).reply

    def answer(self, raw: bytes, machine: Any) -> ChallengeAnswer:
        posed = self.challenge(raw)
        return ChallengeAnswer(token=posed.token, secret=machine.activate_credential(_credential(posed)))

    def enrol(self, raw: bytes, answer: ChallengeAnswer | None, marble_type: str = "once") -> Any:
        request = ActivateRequest(
            evidence=raw,
            csr=self.key.request(("localhost",)),
            marble_type=marble_type,
            uuid=str(uuid.uuid4()),
            coordinator_nonce=bytes(32),
            answer=answer,
        )
        return call(self.address, self.identity, ENROL, request, ActivateResponse).reply


def _credential(posed: ChallengeResponse) -> Credential:
    return Credential(blob=posed.credential_blob, encrypted_seed=posed.encrypted_secret)


def _simulated(stage: Stage) -> Machines:
    program = load(stage.package)
    mine, another, forged = (
        SimulatedAttester(folder, program, family=Family.TPM)
        for folder in (stage.mesh.platform, stage.mesh.folder / "another", stage.mesh.folder / "forged")
    )
    register = sha256(bytes(32) + sha256(program.unique_id).digest()).hexdigest()
    roots = f"simulated:{stage.mesh.platform},simulated:{stage.mesh.folder / 'another'}"
    return Machines(
        mine=mine,
        another=another,
        forged=forged,
        choice=f"simulated-tpm:{stage.mesh.platform}",
        environment={"SEALMESH_TRUST_ROOTS": roots},
        form={"TPM": {"PCRs": {"11": register}}},
    )


def _swtpm(stage: Stage, start_tpm: Callable[[], Any]) -> Machines:
    lab, forger = Manufacturer.create("lab"), Manufacturer.create("forger")
    makers = (
        ("EK-RSA2048", 0x01C00002, lab),
        ("EK-ECC256", 0x01C0000A, lab),
        ("EK-RSA2048", 0x01C00002, forger),
    )
    tpms = []
    for kind, place, maker in makers:
        tpms.append(start_tpm())
        tpms[-1].endorse(kind, place, maker.endorse)
    mine, another, forged = (TpmAttester(Tpm(tpm.tcti), (MEASURED,)) for tpm in tpms)
    bundle = stage.mesh.folder / "endorsements"
    bundle.mkdir()
    (bundle / "tpm.pem").write_bytes(lab.pem)
    quoted = parse_evidence(mine.evidence(b"n")).quote.pcrs[Bank.SHA256][MEASURED]
    root = f"tpm:lab={lab.trust_root.sha256.hex()}"
    return Machines(
        mine=mine,
        another=another,
        forged=forged,
        choice=f"tpm:{tpms[0].tcti}?pcrs=sha256:{MEASURED}",
        environment={
            "SEALMESH_TRUST_ROOTS": f"simulated:{stage.mesh.platform},{root}",
            "SEALMESH_COLLATERAL": str(bundle),
        },
        form={"TPM": {"PCRs": {str(MEASURED): quoted.hex()}}},
    )


@pytest.fixture(scope="module", params=["simulated", "swtpm"])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("tpm"))
    if request.param == "swtpm":
        machines = _swtpm(stage, request.getfixturevalue("start_tpm"))
    else:
        machines = _simulated(stage)
    try:
        stage.start(machines)
        yield stage
    finally:
        stage.mesh.kill()


@dataclass(frozen=True)
class Other:
    """A TPM that is not the one it says."""

    quotes: Any
    answers: Callable[[Credential], bytes]

    def evidence(self, data: bytes) -> bytes:
        return bytes(self.quotes(data))

    def activate_credential(self, credential: Credential) -> bytes:
        return self.answers(credential)

    def describe(self) -> str:
        return "a forgery"


def refused(stage: Stage, act: Callable[[], object]) -> ActivationRefused:
    """Assert that nobody was let in, counted or logged."""
    before = stage.mesh.state()
    with pytest.raises(ActivationRefused) as caught:
        act()
    assert stage.mesh.state() == before
    return caught.value


def ek_chain(machine: Any) -> tuple[bytes, ...]:
    return tuple(parse_evidence(machine.evidence(b"n")).quote.ek_chain)


def test_a_machine_with_an_ek_certificate_runs_its_program_in_the_mesh(stage: Stage) -> None:
    done = subprocess.run(
        [*world.SEALMESH, "run"],
        cwd=stage.package,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(stage.mesh.folder),
            "SEALMESH_ATTESTER": stage.machines.choice,
            "SEALMESH_COORDINATOR_ADDR": f"127.0.0.1:{stage.mesh.mesh_port}",
            "SEALMESH_MARBLE_TYPE": "measured",
            "SEALMESH_WAIT_SECONDS": "0",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert (done.returncode, done.stdout) == (5, "hello\n"), done.stderr


def test_a_certificate_is_renewed_with_another_challenge(stage: Stage) -> None:
    applicant = stage.applicant(stage.machines.mine)
    policy = load_measured(stage.package, ()).policy
    assert policy is not None
    credentials = activate(applicant, policy).credentials
    before = stage.mesh.acts()
    renewed = renew(applicant, credentials)
    assert renewed.certificate_chain_pem != credentials.certificate_chain_pem
    assert stage.mesh.acts() == before + 1


def test_marbleruns_call_refuses_what_would_need_a_challenge(stage: Stage) -> None:
    error = refused(stage, lambda: activate_legacy(stage.applicant(stage.machines.mine)))
    assert error.code == "challenge:unanswered"


def test_a_key_of_another_tpm_is_refused(stage: Stage) -> None:
    """Quotes by a TPM of the attacker's, the EK certificate of a good one, which does not help him."""
    machines, connection = stage.machines, Connection(stage)
    raw = with_chain(connection.evidence(machines.another), ek_chain(machines.mine))
    for machine in (machines.mine, machines.another):
        with pytest.raises(PlatformError) as caught:
            connection.answer(raw, machine)
        assert caught.value.code == "platform:credential"
    guessing = Other(
        quotes=lambda data: with_chain(machines.another.evidence(data), ek_chain(machines.mine)),
        answers=lambda _: bytes(32),
    )
    assert refused(stage, lambda: stage.join(guessing)).code == "binding:credential"


def test_an_ek_certificate_of_another_key_is_refused(stage: Stage) -> None:
    connection = Connection(stage)
    raw = connection.evidence(stage.machines.mine)
    answer = connection.answer(raw, stage.machines.mine)
    changed = with_chain(raw, ek_chain(stage.machines.another))
    assert refused(stage, lambda: connection.enrol(changed, answer)).code == "challenge:subject"


def test_a_forged_ek_certificate_is_refused(stage: Stage) -> None:
    error = refused(stage, lambda: stage.join(stage.machines.forged))
    assert error.code in ("root:ek root", "chain:issuer")
    connection = Connection(stage)
    raw = connection.evidence(stage.machines.forged)
    invented = ChallengeAnswer(token=b"\1" + bytes(56), secret=bytes(32))
    assert refused(stage, lambda: connection.enrol(raw, invented)).code == "challenge:subject"
    assert refused(stage, lambda: connection.enrol(raw, None)).code == "challenge:unanswered"


def test_a_replayed_challenge_is_refused_on_another_connection(stage: Stage) -> None:
    heard, thief = Connection(stage), Connection(stage)
    raw = heard.evidence(stage.machines.mine)
    answer = heard.answer(raw, stage.machines.mine)
    assert refused(stage, lambda: thief.enrol(raw, answer)).code == "challenge:subject"


def test_the_secret_of_somebody_elses_challenge_is_refused(stage: Stage) -> None:
    own, other = Connection(stage), Connection(stage)
    raw = own.evidence(stage.machines.mine)
    answer = own.answer(raw, stage.machines.mine)
    theirs = other.answer(other.evidence(stage.machines.another), stage.machines.another)
    mixed = ChallengeAnswer(token=answer.token, secret=theirs.secret)
    assert refused(stage, lambda: own.enrol(raw, mixed)).code == "binding:credential"


def test_a_quote_with_another_nonce_is_refused(stage: Stage) -> None:
    other = Connection(stage)
    elsewhere = Other(
        quotes=lambda _: other.evidence(stage.machines.mine),
        answers=stage.machines.mine.activate_credential,
    )
    error = refused(stage, lambda: stage.join(elsewhere))
    assert [item.field for item in error.mismatches] == ["ReportData"]


def test_other_registers_are_refused_with_what_was_found(stage: Stage, tmp_path: Path) -> None:
    machines = stage.machines
    if isinstance(machines.another, TpmAttester):
        _extend(machines.another)
        changed = machines.another
    else:
        package, _ = stage.mesh.package("changed", SHOW + "# changed\n", folder=tmp_path / "changed")
        platform = open_or_create(stage.mesh.platform).path
        changed = SimulatedAttester(platform, load(package), family=Family.TPM)
    error = refused(stage, lambda: stage.join(changed))
    (mismatch,) = error.mismatches
    assert mismatch.field == f"PCR{next(iter(machines.form['TPM']['PCRs']))}"
    assert mismatch.wanted in json.dumps(machines.form)


def _extend(attester: TpmAttester) -> None:
    import tpm2_pytss as tss

    digest = tss.TPMT_HA(hashAlg=tss.TPM2_ALG.SHA256, digest=tss.TPMU_HA(sha256=b"changed".ljust(32)))
    with attester.tpm.connected() as tpm:
        tpm.esapi.pcr_extend(tss.ESYS_TR(MEASURED), tss.TPML_DIGEST_VALUES([digest]))


def test_what_was_refused_was_not_counted(stage: Stage) -> None:
    connection = Connection(stage)
    raw = connection.evidence(stage.machines.mine)
    answer = connection.answer(raw, stage.machines.mine)
    wrong = ChallengeAnswer(token=answer.token, secret=bytes(32))
    for _ in range(3):
        assert refused(stage, lambda: connection.enrol(raw, wrong)).code == "binding:credential"
    connection.enrol(raw, answer)
    assert refused(stage, lambda: connection.enrol(raw, answer)).code == "activation-limit"
