"""Admission of a Marble: the order of the checks, what they leave behind, and what a Marble gets."""

from datetime import timedelta
from hashlib import sha256

import fakes
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.attestation import INTEL
from sealmesh.attestation.simulated import (
    EndorsementPlan,
    SimulatedEnclave,
    create_platform,
    create_vendor,
    issue_collateral,
)
from sealmesh.coordinator.admission import report_data
from sealmesh.coordinator.api import RenewRequest
from sealmesh.coordinator.context import Settings
from sealmesh.coordinator.relaxation import Relaxation
from sealmesh.errors import grpc_status
from sealmesh.errors.coordinator import (
    ActivationLimitReached,
    BadCertificateRequest,
    BadUuid,
    EvidenceRefused,
    MarbleUnauthenticated,
    NameRefused,
    ParametersRefused,
    PhaseError,
    UnknownMarbleType,
)
from sealmesh.pki import MARBLE_TYPE_OID

activation, enrolment, manifest_bytes, request_bytes = (
    fakes.activation,
    fakes.enrolment,
    fakes.manifest_bytes,
    fakes.request_bytes,
)
EMPTY_QUOTES = Settings(relaxations=frozenset({Relaxation.INSECURE_EMPTY_QUOTES}))


def running(raw=None, settings=EMPTY_QUOTES, **how):
    coordinator = fakes.make_coordinator(settings=settings, **how)
    coordinator.set_manifest(raw or manifest_bytes())
    return coordinator


def store_of(coordinator):
    return coordinator._engine.seat.opened


def leaf_of(reply) -> x509.Certificate:
    env = reply.parameters.env
    return x509.load_pem_x509_certificate(env["MARBLE_PREDEFINED_MARBLE_CERTIFICATE_CHAIN"])


def names_of(certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.DNSName)


# -- order ---------------------------------------------------------------------------------------

BAD = {"csr": b"", "uuid": "x"}
ORDER = [
    ("no client certificate", "nope", {**BAD, "client_cert": b""}, MarbleUnauthenticated, "UNAUTHENTICATED"),
    ("unknown type", "nope", BAD, UnknownMarbleType, "PERMISSION_DENIED"),
    ("type in other case", "Baker", BAD, UnknownMarbleType, "PERMISSION_DENIED"),
    ("limit before UUID", "full", BAD, ActivationLimitReached, "PERMISSION_DENIED"),
    ("UUID before request", "baker", BAD, BadUuid, "INVALID_ARGUMENT"),
    ("request before parameters", "broken", {"csr": b""}, BadCertificateRequest, "INTERNAL"),
    ("parameters", "broken", {}, ParametersRefused, "INTERNAL"),
]


@pytest.mark.parametrize(("name", "marble", "how", "error", "status"), ORDER, ids=[row[0] for row in ORDER])
def test_the_first_check_that_fails_is_the_answer_and_nothing_changes(name, marble, how, error, status):
    template = {"Parameters": {"Env": {"X": "{{ hex .Secrets.later }}"}}}
    document = {"Secrets": {"later": {"Type": "symmetric-key", "Size": 128, "UserDefined": True}}}
    marbles = {"baker": {}, "full": {"MaxActivations": 1}, "broken": template}
    coordinator = running(manifest_bytes(document, **marbles))
    coordinator.activate(activation("full"))
    commits = len(store_of(coordinator).commits)
    with pytest.raises(error) as refused:
        coordinator.activate(activation(marble, **how))
    legacy = refused.value.legacy_grpc_status or grpc_status(refused.value.kind)
    assert legacy == status
    assert len(store_of(coordinator).commits) == commits


def test_before_a_manifest_the_phase_is_the_answer_whatever_else_is_wrong():
    coordinator = fakes.make_coordinator(settings=EMPTY_QUOTES)
    with pytest.raises(PhaseError):
        coordinator.activate(activation("nope", client_cert=b"", **BAD))
    assert coordinator.status().code == 2


def test_only_successful_activations_of_types_with_a_limit_are_counted():
    coordinator = running(manifest_bytes(baker={"MaxActivations": 2}, free={}))
    with pytest.raises(BadUuid):
        coordinator.activate(activation(uuid="x"))
    coordinator.activate(activation())
    coordinator.enrol(enrolment())
    with pytest.raises(ActivationLimitReached):
        coordinator.activate(activation())
    for _ in range(3):
        coordinator.activate(activation("free"))
    state = coordinator._engine.state()
    assert (state.activations("baker"), state.activations("free")) == (2, 0)


# -- the certificate -----------------------------------------------------------------------------


def test_a_legacy_leaf_has_the_profile_of_the_contract_and_a_bounded_life():
    reply = running().activate(activation())
    leaf = leaf_of(reply)
    assert leaf.subject.rfc4514_string() == f"CN={fakes.UUID}"
    assert isinstance(leaf.public_key().curve, ec.SECP384R1)
    extension = leaf.extensions.get_extension_for_oid(x509.ObjectIdentifier(MARBLE_TYPE_OID))
    assert extension.value.value == b"baker"
    assert leaf.not_valid_after_utc == fakes.NOW.replace(microsecond=0) + timedelta(days=30)


def test_our_own_enrolment_certifies_the_marble_s_key_and_sends_none():
    reply = running().enrol(enrolment())
    leaf = x509.load_der_x509_certificate(reply.credentials.certificate_chain[0])
    assert leaf.public_key() == fakes.MARBLE_KEY.public_key()
    assert "MARBLE_PREDEFINED_PRIVATE_KEY" not in reply.parameters.env
    assert reply.credentials.not_after == leaf.not_valid_after_utc
    assert fakes.NOW < reply.credentials.renew_after < reply.credentials.not_after


@pytest.mark.parametrize("nonce", [b"", b"n" * 31, b"n" * 33])
def test_a_nonce_of_another_length_is_refused(nonce):
    coordinator = running()
    with pytest.raises(BadCertificateRequest) as caught:
        coordinator.enrol(enrolment(coordinator_nonce=nonce))
    error = caught.value
    assert (error.code, error.found, error.wanted) == ("bad-nonce", f"{len(nonce)} bytes", "32 bytes")
    assert "random" in (error.remedy or "")


def test_the_lifetime_of_the_manifest_holds_for_both_ways_in():
    document = {"Config": {"FeatureGates": ["Certificate"]}}
    coordinator = running(manifest_bytes(document, baker={"Certificate": {"Lifetime": "2h"}}))
    end = fakes.NOW.replace(microsecond=0) + timedelta(hours=2)
    assert leaf_of(coordinator.activate(activation())).not_valid_after_utc == end
    assert coordinator.enrol(enrolment()).credentials.not_after == end


# -- names ---------------------------------------------------------------------------------------

NAMES = {"Config": {"FeatureGates": ["Names"]}}
TWO = manifest_bytes(NAMES, baker={}, till={"Names": ["till.example", "10.0.0.9"]})
TAKEN = ["till", "TILL", "till.", "till.example", "*.example", "Till.Example"]


@pytest.mark.parametrize("taken", TAKEN)
def test_a_name_of_another_marble_type_is_refused(taken):
    coordinator = running(TWO)
    request = request_bytes("localhost", taken)
    with pytest.raises((NameRefused, BadCertificateRequest)):
        coordinator.activate(activation(csr=request))
    assert store_of(coordinator).leaf_count() == 1


def test_own_and_free_names_are_granted_in_their_order():
    reply = running(TWO).activate(activation(csr=request_bytes("baker", "a.b.example", "localhost")))
    assert names_of(leaf_of(reply)) == ["baker", "a.b.example", "localhost"]


def test_names_in_the_manifest_are_the_only_ones_whatever_the_request_says():
    reply = running(TWO).activate(activation("till", csr=request_bytes("baker", "other.example")))
    leaf = leaf_of(reply)
    assert names_of(leaf) == ["till.example"]
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.9"]


def test_insecure_host_names_let_the_host_choose():
    settings = Settings(
        relaxations=frozenset({Relaxation.INSECURE_EMPTY_QUOTES, Relaxation.INSECURE_HOST_NAMES})
    )
    reply = running(TWO, settings).activate(activation(csr=request_bytes("till", "kubernetes.default.svc")))
    assert names_of(leaf_of(reply)) == ["till", "kubernetes.default.svc"]


# -- evidence ------------------------------------------------------------------------------------

ENCLAVE = SimulatedEnclave(
    unique_id=b"\x11" * 32, signer_id=b"\xc0" * 32, product_id=7, security_version=3, debug=False
)
CERTIFICATE = b"the certificate of this connection"


class Simulation:
    """A vendor, a platform and a Coordinator that names its root."""

    def __init__(self) -> None:
        self.clock = fakes.FakeClock()
        entropy = fakes.FakeEntropy()
        self.vendor = create_vendor(now=self.clock(), entropy=entropy)
        self.platform = create_platform(self.vendor, now=self.clock(), entropy=entropy)
        self.plan = EndorsementPlan(issued=self.clock().replace(microsecond=0))

    def collateral_for(self, _evidence) -> bytes:
        return issue_collateral(self.vendor, self.plan)

    def quote(self, enclave=ENCLAVE, certificate=CERTIFICATE) -> bytes:
        return self.platform.quote(enclave, report_data(certificate))

    def coordinator(self, raw, *, roots=None, **how):
        roots = (self.vendor.trust_root,) if roots is None else roots
        settings = Settings(roots=roots)
        return running(raw, settings, clock=self.clock, endorser=self, **how)


SIMULATED = manifest_bytes({"Simulation": True, "Config": {"FeatureGates": ["Simulation"]}})


@pytest.fixture(scope="module")
def simulation():
    return Simulation()


def admitted(simulation, **how):
    return activation(evidence=simulation.quote(**how), client_cert=CERTIFICATE)


def test_evidence_that_meets_the_package_is_admitted_and_stamped_as_simulation(simulation):
    coordinator = simulation.coordinator(SIMULATED)
    leaf = leaf_of(coordinator.activate(admitted(simulation)))
    assert any(b"simulated TEE" in getattr(item.value, "value", b"") for item in leaf.extensions)
    assert coordinator.status().simulation
    assert b'"simulation":true' in store_of(coordinator).appended[-1]
    assert sha256(simulation.quote()).digest()  # the leaf holds a digest of the Evidence, not the Evidence


WRONG = {
    "another signer": {"signer_id": b"\xc1" * 32},
    "another product": {"product_id": 8},
    "rolled-back security version": {"security_version": 2},
    "a debug enclave": {"debug": True},
}


@pytest.mark.parametrize("attack", WRONG)
def test_evidence_of_something_else_is_refused_with_every_mismatch(simulation, attack):
    from dataclasses import replace

    coordinator = simulation.coordinator(SIMULATED)
    enclave = replace(ENCLAVE, **WRONG[attack])
    with pytest.raises(EvidenceRefused) as refused:
        coordinator.activate(admitted(simulation, enclave=enclave))
    assert len(refused.value.mismatches) == 1
    assert grpc_status(refused.value.kind) == "PERMISSION_DENIED"
    assert store_of(coordinator).leaf_count() == 1


def test_evidence_replayed_on_another_connection_is_refused(simulation):
    coordinator = simulation.coordinator(SIMULATED)
    with pytest.raises(EvidenceRefused):
        coordinator.activate(activation(evidence=simulation.quote(), client_cert=b"another certificate"))


def test_a_simulated_root_that_the_configuration_does_not_name_is_refused(simulation):
    coordinator = simulation.coordinator(SIMULATED, roots=(INTEL,))
    with pytest.raises(EvidenceRefused):
        coordinator.activate(admitted(simulation))


def test_a_simulated_root_is_refused_where_the_manifest_does_not_say_simulation(simulation):
    coordinator = simulation.coordinator(manifest_bytes())
    with pytest.raises(EvidenceRefused) as refused:
        coordinator.activate(admitted(simulation))
    assert refused.value.code == "simulation-not-allowed"


@pytest.mark.parametrize("evidence", [b"", b"garbage", b"\x03\x00" + bytes(500), b"a" * 100_000])
def test_no_evidence_and_garbage_are_refused_without_the_relaxation(simulation, evidence):
    coordinator = simulation.coordinator(SIMULATED)
    with pytest.raises(EvidenceRefused):
        coordinator.activate(activation(evidence=evidence, client_cert=CERTIFICATE))
    assert store_of(coordinator).leaf_count() == 1


def test_a_package_whose_id_is_no_measurement_admits_nobody(simulation):
    package = {"SignerID": "not hex", "ProductID": 7, "SecurityVersion": 3}
    document = {
        "Simulation": True,
        "Config": {"FeatureGates": ["Simulation"]},
        "Packages": {"oven": package},
    }
    settings = Settings(
        roots=(simulation.vendor.trust_root,), relaxations=frozenset({Relaxation.LENIENT_MANIFEST})
    )
    coordinator = running(manifest_bytes(document), settings, clock=simulation.clock, endorser=simulation)
    with pytest.raises(EvidenceRefused):
        coordinator.activate(admitted(simulation))


def test_renewal_needs_fresh_evidence_over_the_present_certificate_and_counts_nothing(simulation):
    document = {"Simulation": True, "Config": {"FeatureGates": ["Simulation"]}}
    coordinator = simulation.coordinator(manifest_bytes(document, baker={"MaxActivations": 1}))
    first = coordinator.enrol(enrolment(evidence=simulation.quote(), client_cert=CERTIFICATE)).credentials
    chain = first.certificate_chain
    with pytest.raises(EvidenceRefused):
        coordinator.renew(RenewRequest(evidence=simulation.quote(), csr=request_bytes(), client_chain=chain))
    evidence = simulation.quote(certificate=chain[0])
    key = ec.generate_private_key(ec.SECP256R1())
    renewed = coordinator.renew(
        RenewRequest(evidence=evidence, csr=request_bytes(key=key), client_chain=chain)
    )
    leaf = x509.load_der_x509_certificate(renewed.certificate_chain[0])
    assert leaf.public_key() == key.public_key()
    assert leaf.subject == x509.load_der_x509_certificate(chain[0]).subject
    assert coordinator._engine.state().activations("baker") == 1


def test_a_certificate_of_another_mesh_cannot_be_renewed(simulation):
    coordinator, other = simulation.coordinator(SIMULATED), simulation.coordinator(SIMULATED)
    chain = other.enrol(
        enrolment(evidence=simulation.quote(), client_cert=CERTIFICATE)
    ).credentials.certificate_chain
    evidence = simulation.quote(certificate=chain[0])
    with pytest.raises(MarbleUnauthenticated):
        coordinator.renew(RenewRequest(evidence=evidence, csr=request_bytes(), client_chain=chain))


def test_an_expired_certificate_cannot_be_renewed():
    clock = fakes.FakeClock()
    coordinator = running(clock=clock)
    chain = coordinator.enrol(enrolment()).credentials.certificate_chain
    clock.forward(hours=25)
    with pytest.raises(MarbleUnauthenticated):
        coordinator.renew(RenewRequest(evidence=b"", csr=request_bytes(), client_chain=chain))


def test_the_ledger_has_one_leaf_for_each_act_and_no_secret():
    raw = manifest_bytes(
        {"Secrets": {"k": {"Type": "symmetric-key", "Size": 128, "Shared": True}}},
        baker={"Parameters": {"Env": {"K": "{{ hex .Secrets.k }}"}}},
    )
    coordinator = running(raw)
    reply = coordinator.activate(activation())
    leaves = store_of(coordinator).appended
    assert [b'"act":"manifest-set"' in leaves[0], b'"act":"marble-admitted"' in leaves[1]] == [True, True]
    for secret in (reply.parameters.env["K"], reply.parameters.env["MARBLE_PREDEFINED_PRIVATE_KEY"]):
        assert not any(secret in leaf for leaf in leaves)
    digest = sha256(leaf_of(reply).public_bytes(Encoding.DER)).hexdigest()
    assert digest.encode() in leaves[1]


def test_secrets_that_no_template_names_are_not_touched():
    document = {
        "Secrets": {f"unused{n}": {"Type": "cert-rsa", "Size": 4096} for n in range(50)}
        | {"used": {"Type": "symmetric-key", "Size": 128}}
    }
    raw = manifest_bytes(document, baker={"Parameters": {"Env": {"K": "{{ hex .Secrets.used }}"}}})

    class NoRsa(fakes.OsKeyFactory):
        def rsa(self, bits):
            raise AssertionError("an RSA key was made")

    running(raw, keys=NoRsa()).activate(activation())
