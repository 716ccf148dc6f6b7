"""The Attestation Result of an admission: what it says, who may have it, when there is none any more."""

import json
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import fakes
import governed
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.attestation import TcbStatus
from sealmesh.attestation.results import Aspect, Form, Tier
from sealmesh.attestation.simulated import (
    EndorsementPlan,
    SimulatedEnclave,
    create_platform,
    create_vendor,
    issue_collateral,
)
from sealmesh.attestation.simulated.endorsements import TCB_LEVELS
from sealmesh.client import verify_result
from sealmesh.coordinator.admission import report_data
from sealmesh.coordinator.api import RenewRequest, ResultRequest
from sealmesh.coordinator.context import Settings
from sealmesh.coordinator.recorded_admission import MOST_LEAVES, WantedAdmission, find_admission
from sealmesh.coordinator.relaxation import Relaxation
from sealmesh.errors import Kind
from sealmesh.errors.coordinator import (
    BadUuid,
    ConcurrentChange,
    MarbleUnauthenticated,
    PhaseError,
    StateCorrupt,
    UserUnauthenticated,
)
from sealmesh.errors.results import ResultError, ResultFormatError, ResultUnknown, ResultVerificationError

ENCLAVE = SimulatedEnclave(
    unique_id=b"\x11" * 32, signer_id=b"\xc0" * 32, product_id=7, security_version=3, debug=False
)
ROLES = {name: governed.ROLES[name] for name in ("updater", "packager")}
CONNECTION = b"the certificate of this connection"
ADA, MALLORY = governed.ADA, governed.MALLORY
UUID = fakes.UUID
OTHER = "00000000-8b86-4d01-b42d-00cf4fc964ff"
JWT = ResultRequest(form=Form.JWT)
OF_BAKER = ResultRequest(form=Form.CWT, marble_type="baker", uuid=UUID)


class Mesh:
    """A Coordinator, its clock, and an enclave on a platform that counts as hardware or not."""

    def __init__(self, *, simulated=False, plan=None, settings=None, **document) -> None:
        self.clock = fakes.FakeClock()
        entropy = fakes.FakeEntropy()
        self.vendor = create_vendor(now=self.clock(), entropy=entropy)
        self.platform = create_platform(self.vendor, now=self.clock(), entropy=entropy)
        self.plan = {"issued": self.clock().replace(microsecond=0), **(plan or {})}
        root = replace(self.vendor.trust_root, simulated=simulated)
        self.coordinator = fakes.make_coordinator(
            settings=replace(settings or Settings(), roots=(root,)), clock=self.clock, endorser=self
        )
        base = {"Users": governed.users("ada", roles=ROLES), "Roles": ROLES}
        gates = (["Simulation"] if simulated else []) + (
            ["Evidence"] if "Infrastructures" in document else []
        )
        base["Config"] = {"UpdateThreshold": 1, "FeatureGates": gates}
        if simulated:
            base["Simulation"] = True
        self.raw = fakes.manifest_bytes(base | document)
        self.coordinator.set_manifest(self.raw)

    def collateral_for(self, _evidence) -> bytes:
        return issue_collateral(self.vendor, EndorsementPlan(**self.plan))

    def quote(self, connection=CONNECTION) -> bytes:
        return self.platform.quote(ENCLAVE, report_data(connection))

    def ppid(self) -> bytes:
        """What names the machine for ever; the same for every mesh here, whose entropy is counted."""
        return self.coordinator._examiner.examine(self.quote(), self.clock()).claims.ppid

    def enrol(self, uuid=UUID) -> tuple[bytes, ...]:
        """Let a Marble in; return its chain."""
        request = fakes.enrolment(evidence=self.quote(), client_cert=CONNECTION, uuid=uuid)
        return self.coordinator.enrol(request).credentials.certificate_chain

    @property
    def authority(self):
        return self.coordinator._engine.state().authority

    @property
    def leaves(self) -> list[bytes]:
        return self.coordinator._engine.seat.opened.appended

    def result(self, request=JWT, chain=(), **how):
        token = self.coordinator.give_result(request, chain).token
        return verify_result(token, **({"root": self.authority.root_cert, "now": self.clock()} | how))

    def refused(self, kind: type[Exception], request=JWT, chain=()) -> Exception:
        """Return the refusal, after which nothing is written."""
        before = len(self.leaves)
        with pytest.raises(kind) as caught:
            self.coordinator.give_result(request, chain)
        assert len(self.leaves) == before
        return caught.value


@pytest.fixture(scope="module")
def mesh() -> Mesh:
    return Mesh()


def test_marble_gets_the_result_of_the_admission_that_gave_it_its_certificate(mesh: Mesh) -> None:
    chain = mesh.enrol()
    for form in Form:
        found = mesh.result(ResultRequest(form=form, nonce=b"relying!"), chain, nonce=b"relying!")
        assert (found.form, found.signer) == (form, mesh.authority.trust_domain)
        (label,) = found.ear.submodules
        submodule = found.ear.submodules[label]
        assert (label, submodule.status, found.ear.status) == ("sgx", Tier.AFFIRMING, Tier.AFFIRMING)
        assert submodule.vector == {
            Aspect.CONFIGURATION: 2,
            Aspect.EXECUTABLES: 3,
            Aspect.HARDWARE: 2,
            Aspect.RUNTIME_OPAQUE: 2,
        }
        assert submodule.policies == (f"sealmesh-manifest:sha256:{sha256(mesh.raw).hexdigest()}",)
        assert submodule.attester_claims == {
            "unique_id": "11" * 32,
            "signer_id": "c0" * 32,
            "product_id": 7,
            "security_version": 3,
            "debug": False,
        }
        assert submodule.verifier_claims == {
            "trust_domain": mesh.authority.trust_domain,
            "marble_type": "baker",
            "uuid": UUID,
            "package": "oven",
            "certificate_sha256": sha256(chain[0]).hexdigest(),
            "appraised": "2026-03-04T05:06:07Z",
            "evidence_sha256": submodule.verifier_claims["evidence_sha256"],
            "trust_root": mesh.vendor.trust_root.name,
            "simulated": False,
            "tcb_status": "UpToDate",
        }


def test_user_gets_the_result_of_any_marble(mesh: Mesh) -> None:
    chain = mesh.enrol(OTHER)
    request = ResultRequest(form=Form.JWT, marble_type="baker", uuid=OTHER.upper())
    (submodule,) = mesh.result(request, ADA).ear.submodules.values()
    assert submodule.verifier_claims["certificate_sha256"] == sha256(chain[0]).hexdigest()


def test_user_gets_the_last_admission_and_the_marble_its_own(mesh: Mesh) -> None:
    first, second = mesh.enrol(), mesh.enrol()
    for request, chain, expected in ((OF_BAKER, ADA, second), (JWT, first, first), (JWT, second, second)):
        (submodule,) = mesh.result(request, chain).ear.submodules.values()
        assert submodule.verifier_claims["certificate_sha256"] == sha256(expected[0]).hexdigest()


def test_renewal_is_an_admission_with_a_result(mesh: Mesh) -> None:
    chain = mesh.enrol()
    renewed = mesh.coordinator.renew(
        RenewRequest(evidence=mesh.quote(chain[0]), csr=fakes.request_bytes(), client_chain=chain)
    ).certificate_chain
    (submodule,) = mesh.result(JWT, renewed).ear.submodules.values()
    assert submodule.verifier_claims["certificate_sha256"] == sha256(renewed[0]).hexdigest()


def test_marble_over_marblerun_s_call_has_a_result_too(mesh: Mesh) -> None:
    mesh.coordinator.activate(fakes.activation(evidence=mesh.quote(), client_cert=CONNECTION, uuid=OTHER))
    request = ResultRequest(form=Form.JWT, marble_type="baker", uuid=OTHER)
    assert mesh.result(request, ADA).ear.status is Tier.AFFIRMING


def test_nothing_is_signed_or_written_when_a_result_is_given(mesh: Mesh) -> None:
    chain = mesh.enrol()
    before = len(mesh.leaves)
    mesh.result(JWT, chain)
    assert len(mesh.leaves) == before


# -- simulation, tcb, machines ---------------------------------------------------------------------------


def test_simulated_tee_is_never_affirmed_although_it_was_admitted() -> None:
    mesh = Mesh(simulated=True)
    ear = mesh.result(JWT, mesh.enrol()).ear
    (submodule,) = ear.submodules.values()
    assert ear.status is Tier.CONTRAINDICATED
    assert submodule.verifier_claims["simulated"] is True
    assert (submodule.vector[Aspect.HARDWARE], submodule.vector[Aspect.RUNTIME_OPAQUE]) == (97, 96)


def test_outdated_platform_that_the_manifest_accepts_is_warned_of() -> None:
    package = {
        "SignerID": "c0" * 32,
        "ProductID": 7,
        "SecurityVersion": 3,
        "AcceptedTCBStatuses": ["OutOfDate"],
    }
    advisories = ("INTEL-SA-00001", "INTEL-SA-00002")
    level = replace(TCB_LEVELS[0], status=TcbStatus.OUT_OF_DATE, advisories=advisories)
    mesh = Mesh(plan={"tcb_levels": (level,)}, Packages={"oven": package})
    (submodule,) = mesh.result(JWT, mesh.enrol()).ear.submodules.values()
    assert (submodule.status, submodule.vector[Aspect.HARDWARE]) == (Tier.WARNING, 32)
    assert submodule.verifier_claims["tcb_status"] == "OutOfDate"
    assert submodule.verifier_claims["advisories"] == advisories


def test_machine_is_recognized_only_where_the_manifest_names_machines() -> None:
    ppid = Mesh().ppid().hex()
    for infrastructure, expected in (({"PlatformIDs": [ppid]}, 2), ({"QESVN": 0}, None)):
        mesh = Mesh(Infrastructures={"rack": infrastructure})
        (submodule,) = mesh.result(JWT, mesh.enrol()).ear.submodules.values()
        assert submodule.vector.get(Aspect.INSTANCE_IDENTITY) == expected


# -- who may read ----------------------------------------------------------------------------------------


def test_stranger_reads_no_result(mesh: Mesh) -> None:
    mesh.enrol()
    assert mesh.refused(MarbleUnauthenticated).kind is Kind.UNAUTHENTICATED
    assert mesh.refused(MarbleUnauthenticated, JWT, MALLORY)
    assert mesh.refused(UserUnauthenticated, OF_BAKER)
    assert mesh.refused(UserUnauthenticated, OF_BAKER, MALLORY)


def test_marble_reads_no_other_marble_s_result(mesh: Mesh) -> None:
    chain = mesh.enrol()
    mesh.enrol(OTHER)
    request = ResultRequest(form=Form.JWT, marble_type="baker", uuid=OTHER)
    assert mesh.refused(UserUnauthenticated, request, chain)


def test_marble_of_another_mesh_reads_no_result(mesh: Mesh) -> None:
    assert mesh.refused(MarbleUnauthenticated, JWT, Mesh().enrol())


def test_user_has_to_name_a_marble_whole(mesh: Mesh) -> None:
    assert mesh.refused(BadUuid, ResultRequest(form=Form.JWT, marble_type="baker"), ADA)
    assert mesh.refused(MarbleUnauthenticated, JWT, ADA)
    assert mesh.refused(ResultUnknown, ResultRequest(form=Form.JWT, uuid=UUID), ADA)


def test_before_a_manifest_there_is_no_result() -> None:
    with pytest.raises(PhaseError):
        fakes.make_coordinator().give_result(OF_BAKER, ADA)


# -- when there is none ----------------------------------------------------------------------------------


def test_marble_that_never_came_has_no_result(mesh: Mesh) -> None:
    request = ResultRequest(form=Form.JWT, marble_type="baker", uuid="ffffffff-8b86-4d01-b42d-00cf4fc964ff")
    unknown = mesh.refused(ResultUnknown, request, ADA)
    assert (unknown.code, unknown.kind) == ("result-unknown", Kind.NOT_FOUND)
    assert mesh.refused(ResultUnknown, replace(OF_BAKER, marble_type="butcher"), ADA)


def test_admission_under_an_earlier_manifest_has_no_result_any_more() -> None:
    mesh = Mesh()
    chain = mesh.enrol()
    mesh.coordinator.update(json.dumps({"Packages": {"oven": {"SecurityVersion": 3}}}).encode(), ADA)
    assert mesh.refused(MarbleUnauthenticated, JWT, chain)  # its certificate ended with the intermediate
    assert mesh.refused(ResultUnknown, OF_BAKER, ADA).code == "result-unknown"


def test_result_ends_with_the_collateral_and_then_there_is_none() -> None:
    mesh = Mesh(plan={"lifetime": timedelta(minutes=30)})
    chain = mesh.enrol()
    ear = mesh.result(JWT, chain).ear
    assert ear.expires == mesh.plan["issued"] + timedelta(minutes=30)
    mesh.clock.forward(minutes=31)
    assert mesh.refused(ResultUnknown, JWT, chain).code == "result-stale"


def test_result_ends_with_the_configured_lifetime() -> None:
    mesh = Mesh(settings=Settings(result_lifetime=timedelta(minutes=7)))
    ear = mesh.result(JWT, mesh.enrol()).ear
    assert ear.expires - ear.issued == timedelta(minutes=7)


def test_result_does_not_outlive_the_marble_s_certificate() -> None:
    mesh = Mesh(settings=Settings(result_lifetime=timedelta(days=7)))
    chain = mesh.enrol()
    end = x509.load_der_x509_certificate(chain[0]).not_valid_after_utc
    assert mesh.result(JWT, chain).ear.expires <= end


def test_marble_without_evidence_has_no_result() -> None:
    relaxed = frozenset({Relaxation.INSECURE_EMPTY_QUOTES})
    mesh = Mesh(settings=Settings(relaxations=relaxed))
    chain = mesh.coordinator.enrol(fakes.enrolment(client_cert=CONNECTION)).credentials.certificate_chain
    assert mesh.refused(ResultUnknown, JWT, chain).code == "result-without-evidence"


def test_admission_that_an_older_version_recorded_has_no_result() -> None:
    mesh = Mesh()
    mesh.enrol()
    leaf = json.loads(mesh.leaves[-1])
    del leaf["verdict"]["trust"]
    mesh.leaves[-1] = json.dumps(leaf, separators=(",", ":"), sort_keys=True).encode()
    assert mesh.refused(ResultUnknown, OF_BAKER, ADA).code == "result-without-evidence"


def test_leaf_that_is_not_as_it_was_written_is_not_believed() -> None:
    wanted = WantedAdmission(marble_type="baker", uuid=UUID)
    for leaf in (
        b'{"act":"marble-admitted",' + UUID.encode(),
        b'{"act":"marble-admitted","x":"%s"}' % UUID.encode(),
    ):
        with pytest.raises(StateCorrupt):
            find_admission([leaf], wanted)


def test_name_that_looks_like_a_leaf_is_none() -> None:
    """A user's name or a reason in the ledger may hold anything; only the first key says what a leaf is."""
    disguised = json.dumps({"act": "secrets-read", "user": '{"act":"manifest-updated",' + UUID}).encode()
    with pytest.raises(ResultUnknown):
        find_admission([disguised], WantedAdmission(marble_type="baker", uuid=UUID))


def test_only_the_newest_leaves_are_looked_at(mesh: Mesh) -> None:
    engine = mesh.coordinator._engine
    stored = list(mesh.leaves)
    try:
        mesh.leaves.extend(b"%d" % number for number in range(MOST_LEAVES + 10))
        recent = list(engine.recent_leaves(MOST_LEAVES))
        assert (len(recent), recent[0]) == (MOST_LEAVES, b"%d" % (MOST_LEAVES + 9))
        assert recent == sorted(recent, key=int, reverse=True)
        assert mesh.refused(ResultUnknown, OF_BAKER, ADA)
    finally:
        mesh.leaves[:] = stored
    assert list(engine.recent_leaves(MOST_LEAVES)) == stored[::-1]


def test_manifest_that_changes_meanwhile_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = Mesh()
    mesh.enrol()
    engine = mesh.coordinator._engine
    leaves = list(engine.recent_leaves(MOST_LEAVES))

    def update_first(_most: int):
        mesh.coordinator.update(json.dumps({"Packages": {"oven": {"SecurityVersion": 3}}}).encode(), ADA)
        return iter(leaves)

    monkeypatch.setattr(engine, "recent_leaves", update_first)
    with pytest.raises(ConcurrentChange):
        mesh.coordinator.give_result(OF_BAKER, ADA)


@pytest.mark.parametrize("nonce", [b"short", bytes(65)], ids=len)
def test_nonce_of_another_length_is_refused(mesh: Mesh, nonce: bytes) -> None:
    refused = mesh.refused(ResultFormatError, ResultRequest(form=Form.JWT, nonce=nonce), mesh.enrol())
    assert refused.code == "result-nonce-length"


# -- who signed ------------------------------------------------------------------------------------------


def test_result_of_another_mesh_is_refused(mesh: Mesh) -> None:
    token = mesh.coordinator.give_result(JWT, mesh.enrol()).token
    with pytest.raises(ResultVerificationError) as caught:
        verify_result(token, root=Mesh().authority.root_cert, now=mesh.clock())
    assert caught.value.code == "result-chain"


def test_result_is_no_ledger_entry_and_leaks_no_evidence(mesh: Mesh) -> None:
    chain = mesh.enrol()
    token = mesh.coordinator.give_result(ResultRequest(form=Form.CWT), chain).token
    assert mesh.quote() not in token
    assert mesh.ppid() not in token
    assert mesh.ppid().hex().encode() not in token
    root = mesh.authority.root_cert.public_bytes(Encoding.DER)
    assert root in token  # the chain is


def test_every_refusal_is_of_one_family() -> None:
    assert issubclass(ResultUnknown, ResultError)
