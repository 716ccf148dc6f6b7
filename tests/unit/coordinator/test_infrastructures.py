"""`Infrastructures`: which machines a Marble may run on, over all families; every difference is named."""

import importlib.util
import sys
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.attestation import (
    Family,
    NoCollateral,
    TdxReference,
    TrustRoot,
    VerifiedEvidence,
    machines_of,
    parse_evidence,
    verify,
)
from sealmesh.attestation.simulated import (
    EndorsementPlan,
    SimulatedEnclave,
    create_platform,
    create_vendor,
    issue_collateral,
)
from sealmesh.coordinator.admission import admit, report_data
from sealmesh.coordinator.api import RenewRequest
from sealmesh.coordinator.context import Settings
from sealmesh.coordinator.infrastructures import infrastructure_mismatches
from sealmesh.coordinator.relaxation import Relaxation
from sealmesh.errors.coordinator import EvidenceRefused
from sealmesh.manifest import Infrastructure, Package

TESTS = Path(__file__).resolve().parents[2]


def _load(name: str, path: Path) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


evidence = _load("evidence_genuine", TESTS / "evidence" / "genuine.py")
fakes = _load("coordinator_fakes", TESTS / "unit" / "coordinator" / "fakes.py")
VECTORS = TESTS.parent / ".." / "shared" / "vectors"
OTHER = bytes(range(64))


def verified(family: str) -> VerifiedEvidence:
    return evidence.genuine(family).verify()  # type: ignore[no-any-return]


def differing(family: str, **infrastructures: Infrastructure) -> list[str]:
    return [mismatch.field for mismatch in infrastructure_mismatches(verified(family), infrastructures)]


def machine(family: str) -> Any:
    return next(machines_of(verified(family)))


@pytest.mark.parametrize("family", evidence.MAKERS)
def test_without_the_section_any_machine_will_do(family: str) -> None:
    assert differing(family) == []


@pytest.mark.parametrize("family", [name for name in evidence.MAKERS if name != "composite"])
def test_every_family_is_held_to_its_root(family: str) -> None:
    root = verified(family).root.sha256
    assert differing(family, ours=Infrastructure(root_ca=root)) == []
    assert differing(family, ours=Infrastructure(root_ca=OTHER[:32])) == ["Infrastructures.ours.RootCA"]


@pytest.mark.parametrize("family", ["tdx", "azure-tdx"])
def test_intels_machines_are_held_to_kind_identity_and_versions(family: str) -> None:
    found = machine(family)
    fitting = Infrastructure(
        fmspcs=frozenset({OTHER[:6], found.fmspc}),
        platform_ids=frozenset({found.identity}),
        cpu_svn=found.cpu_svn,
        pce_svn=found.pce_svn,
        qe_svn=found.qe_svn,
    )
    assert differing(family, ours=fitting) == []
    assert differing(
        family,
        ours=Infrastructure(
            fmspcs=frozenset({OTHER[:6]}),
            platform_ids=frozenset({OTHER[:16]}),
            cpu_svn=OTHER[:16],
            pce_svn=found.pce_svn + 1,
            qe_svn=found.qe_svn + 1,
        ),
    ) == [f"Infrastructures.ours.{field}" for field in ("CPUSVN", "PCESVN", "QESVN", "FMSPCs", "PlatformIDs")]


@pytest.mark.parametrize("family", ["snp", "azure", "cca"])
def test_chips_and_instances_are_held_to_their_identity(family: str) -> None:
    identity = machine(family).identity
    assert differing(family, ours=Infrastructure(platform_ids=frozenset({identity}))) == []
    wrong = Infrastructure(platform_ids=frozenset({OTHER[: len(identity)]}))
    assert differing(family, ours=wrong) == ["Infrastructures.ours.PlatformIDs"]


def test_a_masked_chip_id_is_nobodys() -> None:
    masked = replace(verified("snp"), claims=replace(verified("snp").claims, chip_id=bytes(64)))
    wanted = {"ours": Infrastructure(platform_ids=frozenset({bytes(64)}))}
    (mismatch,) = infrastructure_mismatches(masked, wanted)
    assert (mismatch.field, mismatch.found) == ("Infrastructures.ours.PlatformIDs", "not in this Evidence")


def test_enclaves_are_held_to_the_region_of_their_certificate() -> None:
    found = replace(verified("nitro"), claims=replace(verified("nitro").claims, region="eu-central-1"))
    for regions, count in ((frozenset({"eu-central-1"}), 0), (frozenset({"us-east-1"}), 1)):
        assert len(list(infrastructure_mismatches(found, {"ours": Infrastructure(regions=regions)}))) == count


@pytest.mark.skipif(not VECTORS.exists(), reason="shared/ is absent")
def test_the_region_stands_in_a_recorded_certificate() -> None:
    root = TrustRoot(
        name="AWS",
        family=Family.NITRO,
        sha256=sha256((VECTORS / "roots" / "aws-nitro-root-g1.der").read_bytes()).digest(),
    )
    document = parse_evidence((VECTORS / "nitro" / "evervault-2022.cbor").read_bytes())
    now = datetime.fromisoformat("2022-10-13T08:58:00Z")
    found = verify(document, NoCollateral(), roots=[root], now=now)
    assert [machine.region for machine in machines_of(found)] == ["us-east-1"]


PROPERTIES = {
    "CPUSVN": Infrastructure(cpu_svn=bytes(16)),
    "PCESVN": Infrastructure(pce_svn=0),
    "QESVN": Infrastructure(qe_svn=0),
    "FMSPCs": Infrastructure(fmspcs=frozenset({bytes(6)})),
    "PlatformIDs": Infrastructure(platform_ids=frozenset({bytes(64)})),
    "Regions": Infrastructure(regions=frozenset({"eu-central-1"})),
}


@pytest.mark.parametrize("field", PROPERTIES)
@pytest.mark.parametrize("family", ["tpm", "gpu", "nitro"])
def test_a_property_that_the_evidence_does_not_carry_is_not_met(family: str, field: str) -> None:
    assert differing(family, ours=PROPERTIES[field]) == [f"Infrastructures.ours.{field}"]


def test_one_of_several_infrastructures_is_enough_and_otherwise_all_differences_are_named() -> None:
    here, there = Infrastructure(root_ca=machine("tdx").root), Infrastructure(root_ca=OTHER[:32], qe_svn=99)
    assert differing("tdx", here=here, there=there) == []
    assert differing("tdx", there=there, far=PROPERTIES["FMSPCs"]) == [
        "Infrastructures.there.RootCA",
        "Infrastructures.there.QESVN",
        "Infrastructures.far.FMSPCs",
    ]


def test_every_machine_of_a_composite_must_fit_one() -> None:
    guest, tpm = machines_of(verified("composite"))
    one, other = Infrastructure(root_ca=guest.root), Infrastructure(root_ca=tpm.root)
    assert differing("composite", one=one, other=other) == []
    assert differing("composite", one=one) == ["Infrastructures.one.RootCA"]
    assert differing("composite", other=other) == ["Infrastructures.other.RootCA"]


def test_a_refusal_names_what_is_wrong_with_software_and_machine() -> None:
    with pytest.raises(EvidenceRefused) as refused:
        admit(
            verified("tdx"),
            package=Package(evidence=(TdxReference(mr_td=OTHER[:48]),)),
            infrastructures={"ours": Infrastructure(qe_svn=9)},
            simulation_allowed=True,
            settings=Settings(),
            certificate=b"certificate",
        )
    fields = [mismatch.field for mismatch in refused.value.mismatches]
    assert fields == ["MRTD", "ReportData", "Infrastructures.ours.QESVN"]


# -- from the manifest to the admission ------------------------------------------------------------


CERTIFICATE = b"the certificate of this connection"
ENCLAVE = SimulatedEnclave(unique_id=b"\x11" * 32, signer_id=b"\xc0" * 32, product_id=7, security_version=3)


class Hall:
    """A Coordinator whose Marbles run on one simulated SGX machine."""

    def __init__(self) -> None:
        self.clock = fakes.FakeClock()
        entropy = fakes.FakeEntropy()
        self.vendor = create_vendor(now=self.clock(), entropy=entropy)
        self.platform = create_platform(self.vendor, now=self.clock(), entropy=entropy)
        self.plan = EndorsementPlan(issued=self.clock().replace(microsecond=0))

    def collateral_for(self, _evidence: object) -> bytes:
        return issue_collateral(self.vendor, self.plan)

    def coordinator(self, infrastructure: dict[str, Any], *relaxations: Relaxation) -> Any:
        document = {
            "Simulation": True,
            "Config": {"FeatureGates": ["Simulation", "Evidence"]},
            "Infrastructures": {"hall": infrastructure},
        }
        settings = Settings(roots=(self.vendor.trust_root,), relaxations=frozenset(relaxations))
        coordinator = fakes.make_coordinator(settings=settings, clock=self.clock, endorser=self)
        coordinator.set_manifest(fakes.manifest_bytes(document, baker={"MaxActivations": 1}))
        return coordinator

    def application(self) -> dict[str, bytes]:
        quote = self.platform.quote(ENCLAVE, report_data(CERTIFICATE))
        return {"evidence": quote, "client_cert": CERTIFICATE}


@pytest.fixture(scope="module")
def hall() -> Hall:
    return Hall()


def fitting(hall: Hall) -> dict[str, Any]:
    identity = hall.platform.identity
    root = hall.vendor.root.certificate
    return {
        "RootCA": list(root.public_bytes(Encoding.PEM)),
        "CPUSVN": list(identity.cpu_svn),
        "PCESVN": identity.pce_svn,
        "QESVN": 1,
        "FMSPCs": [identity.fmspc.hex()],
        "PlatformIDs": [identity.ppid.hex().upper()],
    }


FOREIGN = {
    "RootCA": list(OTHER[:32]),
    "CPUSVN": list(OTHER[:16]),
    "PCESVN": 9,
    "QESVN": 9,
    "FMSPCs": [OTHER[:6].hex()],
    "PlatformIDs": [OTHER[:16].hex()],
    "Regions": ["eu-central-1"],
}


def test_a_marble_on_a_machine_of_the_manifest_is_admitted(hall: Hall) -> None:
    coordinator = hall.coordinator(fitting(hall))
    assert coordinator.activate(fakes.activation(**hall.application())).parameters.env


@pytest.mark.parametrize("call", ["activate", "enrol"])
@pytest.mark.parametrize("field", FOREIGN)
def test_a_marble_on_any_other_machine_is_refused_and_leaves_nothing(
    hall: Hall, field: str, call: str
) -> None:
    coordinator = hall.coordinator({**fitting(hall), field: FOREIGN[field]})
    store = coordinator._engine.seat.opened
    commits = len(store.commits)
    request = {"activate": fakes.activation, "enrol": fakes.enrolment}[call](**hall.application())
    with pytest.raises(EvidenceRefused) as refused:
        getattr(coordinator, call)(request)
    assert [mismatch.field for mismatch in refused.value.mismatches] == [f"Infrastructures.hall.{field}"]
    assert len(store.commits) == commits
    assert coordinator._engine.state().activations("baker") == 0


def test_renewal_on_another_machine_is_refused(hall: Hall) -> None:
    coordinator = hall.coordinator(fitting(hall))
    chain = coordinator.enrol(fakes.enrolment(**hall.application())).credentials.certificate_chain
    elsewhere = create_platform(hall.vendor, now=hall.clock(), entropy=Random(8).randbytes)
    quote = elsewhere.quote(ENCLAVE, report_data(chain[0]))
    with pytest.raises(EvidenceRefused) as refused:
        coordinator.renew(RenewRequest(evidence=quote, csr=fakes.request_bytes(), client_chain=chain))
    assert [mismatch.field for mismatch in refused.value.mismatches] == ["Infrastructures.hall.PlatformIDs"]


def test_a_lenient_coordinator_ignores_the_section_as_marblerun_does(hall: Hall) -> None:
    coordinator = hall.coordinator(FOREIGN, Relaxation.LENIENT_MANIFEST)
    assert coordinator.activate(fakes.activation(**hall.application())).parameters.env
