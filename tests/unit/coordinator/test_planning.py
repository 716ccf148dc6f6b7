"""A plan says what really happens: each is made, then applied, then compared with what came of it."""

import json
from dataclasses import dataclass
from itertools import product

import governed
import pytest
import test_activation as activating
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealmesh.coordinator import places
from sealmesh.coordinator.api import SecretUpload
from sealmesh.coordinator.approvals import update_subject
from sealmesh.coordinator.planning import plan_document, plan_update
from sealmesh.errors import SealmeshError
from sealmesh.errors.coordinator import ActivationLimitReached, UpdateRefused
from sealmesh.errors.manifest import ManifestError
from sealmesh.errors.provisioning import TemplateRefused
from sealmesh.manifest import ANYONE, MESH, GovernedAct, parse_manifest
from sealmesh.policy import Caller, decide
from sealmesh.provisioning import Secret

ADA, EVE, fakes = governed.ADA, governed.EVE, governed.fakes
PORTS = (80, 443, 8000, 8443)
GATES = ["Simulation", "Access", "Governance"]
APPROVERS = {name: {"Keys": [governed.KEYS[name].pem]} for name in ("alice", "bob", "carol")}


def recovery_key() -> str:
    key = rsa.generate_private_key(65537, 2048).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


BASE = {
    "Packages": {
        "oven": {"SignerID": "c0" * 32, "ProductID": 7, "SecurityVersion": 3},
        "till": {"SignerID": "c0" * 32, "ProductID": 7, "SecurityVersion": 1},
    },
    "Marbles": {
        "baker": {"Package": "oven", "Parameters": {"Env": {"K": "{{ hex .Secrets.key }}"}}},
        "seller": {"Package": "till", "Parameters": {"Env": {"R": "{{ hex .Secrets.recipe }}"}}},
        "buyer": {"Package": "till"},
    },
    "Secrets": {
        "key": {"Type": "symmetric-key", "Size": 128, "Shared": True},
        "own": {"Type": "symmetric-key", "Size": 128},
        "cert": {"Type": "cert-ed25519", "Shared": True},
        "recipe": {"Type": "plain", "UserDefined": True},
    },
    "Access": [{"From": ["buyer"], "To": "seller", "Ports": ["443"]}],
    "Users": governed.users("ada", "eve"),
    "Roles": {
        **governed.ROLES,
        "packager": {**governed.ROLES["packager"], "ResourceNames": ["oven", "till"]},
    },
    "RecoveryKeys": {"ra": recovery_key()},
    "Simulation": True,
    "Config": {"FeatureGates": GATES, "UpdateThreshold": 1},
    "Governance": {"Approvers": APPROVERS, "Rules": {"UpdateManifest": {"Threshold": 1}}},
}


def changed(**changes) -> bytes:
    """BASE with `Section__name=value` set, None taking away."""
    document = json.loads(json.dumps(BASE))
    for path, value in changes.items():
        *parents, last = path.split("__")
        at = document
        for part in parents:
            at = at[part]
        if value is None:
            del at[last]
        else:
            at[last] = value
    return json.dumps(document).encode()


@dataclass
class Mesh:
    """A Coordinator under BASE, with the user-defined secret uploaded, and one enclave for all Marbles."""

    simulation: object
    coordinator: object

    @property
    def state(self):
        return self.coordinator._engine.state()

    def starts(self, marble: str) -> bool:
        request = fakes.activation(
            marble, evidence=self.simulation.quote(), client_cert=activating.CERTIFICATE
        )
        try:
            self.coordinator.activate(request)
        except ActivationLimitReached:
            raise
        except SealmeshError:
            return False
        return True

    def allowed(self) -> set[tuple]:
        manifest = self.state.running.manifest
        callers = (*BASE["Marbles"], "newcomer", None)
        return {
            (caller, callee, port)
            for caller, callee, port in product(callers, BASE["Marbles"], PORTS)
            if callee in manifest.marbles
            and (caller is None or caller in manifest.marbles)
            and decide(
                self.state.running.access, caller=Caller(marble_type=caller), callee_type=callee, port=port
            ).allowed
        }

    def values(self) -> dict[str, bytes]:
        names = (*BASE["Secrets"], "fresh")
        found = {name: self.state.shelves.value(places.secret(name)) for name in names}
        return {name: Secret.from_bytes(value).public for name, value in found.items() if value}

    def update(self, raw: bytes):
        """Apply it as the plan says it has to be applied; nothing less does."""
        plan = plan_update(self.state.running.manifest, raw)
        for number in range(plan.consents.approvals):
            assert not self.coordinator.update(raw, ADA).applied if number == 0 else True
            self.approve(raw, plan.consents.approvers[number])
        act = self.coordinator.acknowledge if plan.consents.approvals else self.coordinator.update
        chains = [governed.CHAINS[name] for name in plan.consents.users]
        for number in range(plan.consents.acknowledgments):
            reply = act(raw, chains[number])
            act = self.coordinator.acknowledge
            assert reply.applied == (number == plan.consents.acknowledgments - 1)
        return plan, reply

    def approve(self, raw: bytes, approver: str) -> None:
        world = governed.World(coordinator=self.coordinator, clock=self.simulation.clock)
        world.approve(GovernedAct.UPDATE_MANIFEST, update_subject(raw), approver)


@pytest.fixture(scope="module")
def simulation():
    return activating.Simulation()


@pytest.fixture
def mesh(simulation):
    coordinator = simulation.coordinator(changed())
    coordinator.set_secrets({"recipe": SecretUpload(key=b"rye")}, EVE)
    return Mesh(simulation=simulation, coordinator=coordinator)


CASES = {
    "nothing but a blank": {},
    "an edge is opened": {
        "Access": [
            {"From": ["buyer"], "To": "seller", "Ports": ["443", "8000-8443"]},
            {"From": ["seller"], "To": "baker", "Ports": ["80"]},
        ]
    },
    "an edge is closed": {"Access": []},
    "everybody in the mesh may call": {"Access": [{"From": ["@mesh"], "To": "@mesh", "Ports": ["*"]}]},
    "anybody may call": {"Access": [{"From": ["@anyone"], "To": "seller", "Ports": ["443"]}]},
    "no rules at all": {
        "Access": None,
        "Config": {"FeatureGates": ["Simulation", "Governance"], "UpdateThreshold": 1},
    },
    "a Marble goes": {"Marbles__buyer": None, "Access": []},
    "a Marble comes": {"Marbles__newcomer": {"Package": "till"}},
    "a version that is too high": {"Packages__oven__SecurityVersion": 4},
    "a version that still holds": {"Packages__till__SecurityVersion": 2},
    "a version goes down": {"Packages__oven__SecurityVersion": 2},
    "other software": {"Packages__oven": {"UniqueID": "aa" * 32}},
    "another signer": {"Packages__oven__SignerID": "c1" * 32},
    "only debug enclaves": {"Packages__oven__Debug": True},
    "no simulation any more": {
        "Simulation": None,
        "Config": {"FeatureGates": ["Access", "Governance"], "UpdateThreshold": 1},
    },
    "keys are rotated": {"Config__RotateRootSecret": True},
    "a secret of another size": {"Secrets__key__Size": 256},
    "a new secret": {"Secrets__fresh": {"Type": "symmetric-key", "Size": 128, "Shared": True}},
    "a new certificate": {"Secrets__fresh": {"Type": "cert-ed25519", "Shared": True}},
    "a secret goes": {"Secrets__own": None},
    "a secret that must be uploaded": {
        "Secrets__pin": {"Type": "plain", "UserDefined": True},
        "Marbles__buyer__Parameters": {"Env": {"P": "{{ hex .Secrets.pin }}"}},
    },
    "an uploaded secret is redefined": {
        "Secrets__recipe": {"Type": "plain", "UserDefined": True, "ValidFor": 9}
    },
    "the recovery key goes": {"RecoveryKeys": {}},
    "another recovery key beside it": {"RecoveryKeys__rb": recovery_key()},
    "the key is sealed otherwise": {"Config__SealMode": "UniqueKey"},
    "the same seal mode by its name": {"Config__SealMode": "ProductKey"},
    "recovery is reserved": {
        "Governance__Rules": {"UpdateManifest": {"Threshold": 2}, "Recover": {"Threshold": 2}}
    },
    "two must acknowledge from now on": {"Config__UpdateThreshold": 2},
    "nothing is reserved any more": {
        "Governance": None,
        "Config": {"FeatureGates": ["Simulation", "Access"], "UpdateThreshold": 1},
    },
}
#: In these, rules for groups and for single types are mixed; the plan then names more than really changes.
GROUPS = {"everybody in the mesh may call", "anybody may call", "no rules at all"}
KEPT, MADE = {"kept"}, {"remade", "reset", "created"}


def expanded(edges, marbles) -> set[tuple]:
    found = set()
    for edge in edges:
        callers = {MESH: (*marbles,), ANYONE: (*marbles, None)}.get(edge.caller, (edge.caller,))
        for caller, ports in product(callers, edge.ports):
            found |= {(caller, edge.callee, port) for port in PORTS if ports.first <= port <= ports.last}
    return found


@pytest.mark.parametrize("case", CASES)
def test_what_was_planned_is_what_happens(mesh, case):
    raw = changed(**CASES[case])
    edges, values = mesh.allowed(), mesh.values()
    authority, starting = mesh.state.authority, {name for name in BASE["Marbles"] if mesh.starts(name)}
    assert starting == set(BASE["Marbles"])

    plan, reply = mesh.update(raw)

    assert not plan.refused
    assert mesh.state.running.raw == raw
    assert plan.fingerprint == mesh.state.running.fingerprint
    # certificates
    assert mesh.state.authority.root_cert == authority.root_cert
    assert mesh.state.authority.intermediate_cert != authority.intermediate_cert
    # edges between Marbles that are there before and after
    both = BASE["Marbles"].keys() & mesh.state.running.manifest.marbles.keys()
    now = {edge for edge in mesh.allowed() if {edge[0], edge[1]} <= {*both, None}}
    before = {edge for edge in edges if {edge[0], edge[1]} <= {*both, None}}
    opened, closed = expanded(plan.changes.opened, both), expanded(plan.changes.closed, both)
    assert now - before <= opened
    assert before - now <= closed
    if case not in GROUPS:
        assert (now - before, before - now) == (
            {edge for edge in opened if {edge[0], edge[1]} <= {*both, None}},
            {edge for edge in closed if {edge[0], edge[1]} <= {*both, None}},
        )
    # who starts: all enclaves here have version 3, so a lower one that is raised is no obstacle to them
    blocked = {item.marble for item in plan.obstacles}
    if case == "a version that still holds":
        assert {item.code for item in plan.obstacles} == {"version"}
        blocked = set()
    assert {name for name in starting if not mesh.starts(name)} == blocked
    # secrets
    after = mesh.values()
    for name, fate in plan.changes.secrets.items():
        if name == "own":
            continue  # private: there is no value of it to compare
        if fate in KEPT:
            assert after[name] == values[name]
        elif fate in MADE:
            assert name in after
            assert after[name] != values.get(name)
        else:
            assert name not in after
    remade = {name for name in after.keys() & values.keys() if after[name] != values[name]}
    assert set(plan.reissued) == {name for name in remade if name in ("cert", "fresh")}
    # shares
    assert bool(reply.recovery_secrets) == plan.new_recovery_secrets
    assert json.loads(json.dumps(plan_document(plan)))["fingerprint"] == plan.fingerprint


PACKAGES = {
    "a version that is too high": {"oven": 4},
    "a version that still holds": {"till": 3},
    "the same version": {"oven": 3},
}


@pytest.mark.parametrize("case", PACKAGES)
def test_a_package_update_does_what_was_planned(mesh, case):
    versions = PACKAGES[case]
    raw = json.dumps({"Packages": {name: {"SecurityVersion": to} for name, to in versions.items()}}).encode()
    values, before, authority = mesh.values(), mesh.state.running.raw, mesh.state.authority
    plan = plan_update(mesh.state.running.manifest, raw)
    assert (plan.package_update, plan.consents.acknowledgments) == (True, 1)
    assert plan.consents.users == ("ada", "eve")
    assert mesh.coordinator.update(raw, EVE).applied
    assert mesh.state.running.raw == before
    assert mesh.state.authority.intermediate_cert != authority.intermediate_cert
    blocked = {item.marble for item in plan.obstacles if case != "a version that still holds"}
    assert {name for name in BASE["Marbles"] if not mesh.starts(name)} == blocked
    after = mesh.values()
    assert {name for name in values if after[name] != values[name]} == set(plan.reissued) == {"cert"}
    assert {name for name, fate in plan.changes.secrets.items() if fate == "remade"} == {"cert"}


def test_a_limit_is_named_with_its_condition(mesh):
    raw = changed(Marbles__buyer={"Package": "till", "MaxActivations": 1})
    plan, _ = mesh.update(raw)
    (obstacle,) = plan.obstacles
    assert (obstacle.marble, obstacle.code) == ("buyer", "limit")
    assert mesh.starts("buyer")
    with pytest.raises(ActivationLimitReached):
        mesh.starts("buyer")


REFUSED = {
    "an unknown package": {"Packages": {"kiln": {"SecurityVersion": 1}}},
    "a version goes down": {"Packages": {"oven": {"SecurityVersion": 2}}},
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_update_that_would_be_refused_is_planned_as_refused(mesh, case):
    raw = json.dumps(REFUSED[case]).encode()
    assert plan_update(mesh.state.running.manifest, raw).refused
    with pytest.raises(UpdateRefused):
        mesh.coordinator.update(raw, EVE)


def test_sealing_cannot_end_and_the_plan_says_so(mesh):
    raw = changed(Config__SealMode="Disabled")
    assert plan_update(mesh.state.running.manifest, raw).refused
    mesh.approve(raw, "alice")
    with pytest.raises(UpdateRefused):
        mesh.coordinator.update(raw, EVE)


def test_a_document_that_is_no_manifest_has_no_plan(mesh):
    before = mesh.state.running.manifest
    with pytest.raises(ManifestError):
        plan_update(before, changed(Marbles__baker={"Package": "kiln"}))
    broken = {"Package": "oven", "Parameters": {"Env": {"K": "{{ hex .Secrets.gone }}"}}}
    with pytest.raises(TemplateRefused):
        plan_update(before, changed(Marbles__baker=broken))


def test_weaker_rules_are_pointed_out():
    before = parse_manifest(governed.manifest())
    rules = {"UpdateManifest": {"Threshold": 1}, "ReadSecrets": {"Threshold": 1}, "Reset": {"Threshold": 3}}
    raw = governed.manifest(rules=rules | {"UpdateManifest": {"Threshold": 3}})
    changes = {str(item.act): item for item in plan_update(before, raw).rules}
    assert (changes["ReadSecrets"].before, changes["ReadSecrets"].after) == (2, 1)
    assert changes["ReadSecrets"].weaker
    assert changes["Recover"].after == 0
    assert not changes["Reset"].weaker


def test_the_approvers_who_come_and_go_are_named():
    before = parse_manifest(governed.manifest())
    document = json.loads(governed.manifest())
    del document["Governance"]["Approvers"]["carol"]
    document["Governance"]["Approvers"]["dora"] = {"Keys": [governed.KEYS["mallory"].pem]}
    plan = plan_update(before, json.dumps(document).encode())
    assert plan.approvers == ("carol", "dora")
    assert (plan.consents.approvals, plan.consents.approvers) == (2, ("alice", "bob", "carol"))


LISTED = [{"SGX": {"SignerID": "c0" * 32, "ProductID": 7, "SecurityVersion": 3}}]


def listed() -> dict:
    """BASE, with the oven's Evidence as a list."""
    return json.loads(
        changed(
            Packages__oven={"Evidence": LISTED},
            Config__FeatureGates=[*GATES, "Evidence"],
        )
    )


def test_other_forms_of_evidence_are_named(mesh):
    before = parse_manifest(json.dumps(listed()).encode())
    after = listed()
    after["Packages"]["oven"]["Evidence"] = [{"SGX": {**LISTED[0]["SGX"], "SecurityVersion": 4}}]
    plan = plan_update(before, json.dumps(after).encode())
    assert [(item.marble, item.code) for item in plan.obstacles] == [("baker", "evidence")]
    assert not plan_update(before, json.dumps(listed()).encode()).obstacles


def test_a_package_update_cannot_change_listed_evidence(mesh):
    mesh.update(json.dumps(listed()).encode())
    assert mesh.starts("baker")
    versions, authority = mesh.state.running.raw, mesh.state.authority.intermediate_cert
    update = json.dumps({"Packages": {"oven": {"SecurityVersion": 9}}}).encode()
    assert plan_update(mesh.state.running.manifest, update).refused
    with pytest.raises(UpdateRefused) as caught:
        mesh.coordinator.update(update, EVE)
    assert caught.value.code == "evidence-package"
    assert (mesh.state.running.raw, mesh.state.authority.intermediate_cert) == (versions, authority)
