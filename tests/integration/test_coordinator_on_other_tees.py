"""A Coordinator on each other simulated TEE with Marbles in simulated SGX: real processes, one policy."""

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import marble_mesh as world
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from sealmesh.adapters.attester.package import load
from sealmesh.client import parse_policy, verify, verify_coordinator
from sealmesh.errors import SealmeshError
from sealmesh.errors.marble import CoordinatorRefused

SHOW = "import os, sys; print(os.environ['WORD']); sys.exit(5)\n"
SECRET_FILE = "secret"
OWNER = rsa.generate_private_key(65537, 2048)


def signed_by(package: Path) -> dict[str, Any]:
    """Whatever its owner signs: also what trusts another Coordinator, which is then for it to notice."""
    enclave = load(package).verify_signed()
    return {
        "SignerID": enclave.signer_id.hex(),
        "ProductID": enclave.product_id,
        "SecurityVersion": enclave.security_version,
    }


class Stage:
    """A Coordinator in one TEE, and a package that trusts it."""

    def __init__(self, folder: Path, tee: str) -> None:
        self.tee, self.folder = tee, folder
        self.mesh = world.Mesh(folder, f"simulated-{tee}")
        self.package, _ = self.mesh.package("shop", SHOW)
        self.share = b""
        self.mesh.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.mesh.client_port}"

    def manifest(self) -> dict[str, Any]:
        spki = OWNER.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        return {
            "Packages": {"shop": signed_by(self.package)},
            "Marbles": {
                "shop": {
                    "Package": "shop",
                    "Parameters": {
                        "Env": {"WORD": "hello"},
                        "Files": {SECRET_FILE: "{{ hex .Secrets.key }}"},
                    },
                },
            },
            "Secrets": {"key": {"Type": "symmetric-key", "Size": 128}},
            "RecoveryKeys": {"olga": spki},
            "Simulation": True,
            "Config": {"FeatureGates": ["Simulation"]},
        }

    def settle(self) -> None:
        """Set the manifest, once."""
        if self.share:
            return
        path = self.folder / "manifest.json"
        path.write_text(json.dumps(self.manifest()))
        done = self.sealmesh("manifest", "set", path, self.address)
        assert done.returncode == 0, done.stderr
        self.share = base64.b64decode(json.loads(done.stdout)["RecoverySecrets"]["olga"])

    def sealmesh(self, *words: object, policy: dict[str, Any] | None = None) -> Any:
        path = self.folder / "asked.json"
        path.write_text(json.dumps(self.mesh.policy if policy is None else policy))
        return subprocess.run(
            [*world.SEALMESH, *map(str, words), "--policy", str(path), "--json"],
            cwd=self.folder,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )

    def run(self, package: Path) -> Any:
        return subprocess.run(
            [*world.SEALMESH, "run"],
            cwd=package,
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(self.folder),
                "SEALMESH_ATTESTER": f"simulated:{self.mesh.platform}",
                "SEALMESH_COORDINATOR_ADDR": f"127.0.0.1:{self.mesh.mesh_port}",
                "SEALMESH_MARBLE_TYPE": "shop",
                "SEALMESH_WAIT_SECONDS": "0",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )


_LONG = (pytest.param(tee, marks=pytest.mark.slow) for tee in ("nitro", "tpm"))


@pytest.fixture(scope="module", params=["snp", "tdx", *_LONG])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp(str(request.param)), str(request.param))
    try:
        yield stage
    finally:
        stage.mesh.kill()


def code(done: Any) -> str:
    return str(json.loads(done.stdout)["error"]["code"])


def changed(policy: dict[str, Any], **values: Any) -> dict[str, Any]:
    """Return the policy with other Reference Values of its one form."""
    (form,) = policy["Coordinator"]["Evidence"]
    ((family, wanted),) = form.items()
    return {**policy, "Coordinator": {"Evidence": [{family: {**wanted, **values}}]}}


def other_measurement(policy: dict[str, Any]) -> dict[str, Any]:
    (form,) = policy["Coordinator"]["Evidence"]
    ((family, _),) = form.items()
    other = {
        "TDX": {"RTMR2": "ab" * 48},
        "SNP": {"Measurement": "ab" * 48},
        "Nitro": {"PCRs": {"0": "ab" * 48}},
    }
    return changed(policy, **other[family])


def in_debug(policy: dict[str, Any]) -> dict[str, Any]:
    return changed(policy, Debug=True)


def as_an_enclave(policy: dict[str, Any]) -> dict[str, Any]:
    return {**policy, "Coordinator": {"UniqueID": "ab" * 32}}


def without_its_root(policy: dict[str, Any]) -> dict[str, Any]:
    return {"Coordinator": policy["Coordinator"]}


def its_root_for_another_family(policy: dict[str, Any]) -> dict[str, Any]:
    return {**policy, "TrustRoots": [{**root, "Family": "cca"} for root in policy["TrustRoots"]]}


#: What the policy says instead, and the code by which a Coordinator in SNP is refused.
ATTACKS = {
    other_measurement: "appraisal",
    in_debug: "appraisal",
    as_an_enclave: "appraisal",
    without_its_root: "root:ark",
    its_root_for_another_family: "roots:none",
}


def test_marbles_in_sgx_join_it_and_it_survives_restart_and_recovery(stage: Stage) -> None:
    stage.settle()
    first = stage.run(stage.package)
    assert (first.returncode, first.stdout) == (5, "hello\n"), first.stderr
    secret = (stage.package / SECRET_FILE).read_text()

    stage.mesh.kill()
    stage.mesh.start()
    again = stage.run(stage.package)
    assert (again.returncode, (stage.package / SECRET_FILE).read_text()) == (5, secret), again.stderr

    stage.mesh.kill()
    (stage.folder / "state" / "sealed_key").unlink()
    stage.mesh.start()
    assert stage.mesh.phase() == 1
    (stage.folder / "olga.bin").write_bytes(stage.share)
    key = stage.folder / "olga.pem"
    key.write_bytes(OWNER.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    recovered = stage.sealmesh("recover", stage.folder / "olga.bin", stage.address, "-k", key)
    assert recovered.returncode == 0, recovered.stderr
    assert stage.mesh.phase() == 3
    last = stage.run(stage.package)
    assert (last.returncode, (stage.package / SECRET_FILE).read_text()) == (5, secret), last.stderr


def test_a_customer_verifies_it_online_and_offline(stage: Stage) -> None:
    stage.settle()
    kept = stage.folder / "statement.json"
    online = stage.sealmesh("verify", stage.address, "-o", kept)
    assert online.returncode == 0, online.stderr
    offline = stage.sealmesh("verify", kept)
    assert offline.returncode == 0, offline.stderr
    for done in (online, offline):
        found = json.loads(done.stdout)
        assert (found["verified"], found["family"], found["debug"]) == (True, stage.tee, False)
        assert found["simulation"]
        assert found["measurements"]
    document = json.loads(kept.read_text())
    document["time"] = "2031-01-01T00:00:00Z"
    kept.write_text(json.dumps(document))
    tampered = stage.sealmesh("verify", kept)
    assert (tampered.returncode, code(tampered)) == (1, "appraisal")


in_snp = pytest.mark.parametrize("stage", ["snp"], indirect=True)
attacked = pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)


@in_snp
@attacked
def test_a_customer_refuses_what_the_policy_does_not_name(stage: Stage, attack: Any) -> None:
    stage.settle()
    policy = parse_policy(json.dumps(attack(stage.mesh.policy)).encode())
    for act in (verify, verify_coordinator):
        with pytest.raises(SealmeshError) as caught:
            act(stage.address, policy=policy)
        assert caught.value.code == ATTACKS[attack]


@in_snp
@attacked
def test_a_marble_that_wants_another_coordinator_gets_no_credentials(stage: Stage, attack: Any) -> None:
    stage.settle()
    package, _ = stage.mesh.package(attack.__name__, SHOW, coordinator=attack(stage.mesh.policy))
    with pytest.raises(CoordinatorRefused, match="not the one that the package's policy wants"):
        stage.mesh.join(package, "shop")


@in_snp
def test_a_marble_that_wants_another_coordinator_applies_nothing(stage: Stage) -> None:
    stage.settle()
    package, _ = stage.mesh.package("careful", SHOW, coordinator=other_measurement(stage.mesh.policy))
    done = stage.run(package)
    assert (done.returncode, done.stdout) == (1, "")
    assert "error [marble.coordinator-refused]" in done.stderr
    assert "Measurement: found" in done.stderr
    assert not (package / SECRET_FILE).exists()


@in_snp
def test_a_coordinator_that_is_not_the_wanted_one_gets_no_manifest(stage: Stage) -> None:
    before, log = stage.mesh.phase(), stage.mesh.log
    path = stage.folder / "unsent.json"
    path.write_text(json.dumps(stage.manifest()))
    done = stage.sealmesh("manifest", "set", path, stage.address, policy=other_measurement(stage.mesh.policy))
    assert (done.returncode, code(done)) == (1, "appraisal")
    assert stage.mesh.phase() == before
    assert stage.mesh.log == log, "nothing may have been sent that it would log"
