"""A Marble joins a Coordinator with two workers; its Attestation Result is fetched, carried and verified."""

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import jwt
import marble_mesh as world
import operator_world as operators
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from sealmesh.attestation.results import Form, Tier
from sealmesh.client import CoordinatorApi, parse_address, pinned_context, read_user, verify_result
from sealmesh.errors.client import Unauthenticated

pytestmark = pytest.mark.xdist_group("results")


class Stage:
    """A mesh whose one Marble is in, and files of a user, of that Marble and of a stranger."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mesh = world.Mesh(folder)
        shop, shop_id = self.mesh.package("shop", "# shop")
        self.mesh.start(SEALMESH_WORKERS="2", SEALMESH_RESULT_LIFETIME="30m")
        for name in ("ada", "eve"):
            key = rsa.generate_private_key(65537, 2048)
            self.write(
                name, operators.pem_certificate(operators.certificate(name, key)), operators.pem_key(key)
            )
        self.mesh.set_manifest(
            {
                "Packages": {"shop": {"UniqueID": shop_id}},
                "Marbles": {"shop": {"Package": "shop"}},
                "Users": {"ada": {"Certificate": (folder / "ada.crt").read_text(), "Roles": []}},
                "Simulation": True,
                "Config": {"FeatureGates": ["Simulation"]},
            }
        )
        self.shop_id = shop_id
        self.credentials = self.mesh.join(shop, "shop")
        self.write("shop", self.credentials.certificate_chain_pem, self.credentials.key_pem)
        self.leaf = x509.load_pem_x509_certificates(self.credentials.certificate_chain_pem.encode())[0]
        self.root = x509.load_der_x509_certificate(self.credentials.coordinator_root)
        (folder / "root.pem").write_bytes(self.root.public_bytes(Encoding.PEM))

    def write(self, name: str, certificate: str, key: str) -> None:
        (self.folder / f"{name}.crt").write_text(certificate)
        (self.folder / f"{name}.key").write_text(key)

    @property
    def uuid(self) -> str:
        (name,) = self.leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return str(name.value)

    def cli(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*world.SEALMESH, *words], capture_output=True, text=True, check=False, cwd=self.folder
        )

    def get(self, who: str, *words: str, file: str = "token") -> subprocess.CompletedProcess[str]:
        address = f"127.0.0.1:{self.mesh.client_port}"
        person = ("--cert", f"{who}.crt", "--key", f"{who}.key")
        trust = ("--coordinator-cert", "chain.pem")
        return self.cli("results", "get", address, *person, *trust, "-o", file, *words)

    def ask(self, who: str, form: Form = Form.JWT, **whose: Any) -> bytes:
        """As `get`, without a process for each."""
        user = read_user(self.folder / f"{who}.crt", self.folder / f"{who}.key")
        address = parse_address(f"127.0.0.1:{self.mesh.client_port}")
        with CoordinatorApi(address, pinned_context(self.root), user=user) as api:
            return api.result(form, **whose)

    def read(self, file: str = "token") -> Any:
        return verify_result((self.folder / file).read_bytes(), root=self.root, now=datetime.now(UTC))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("results"))
    try:
        yield made
    finally:
        made.mesh.kill()


def test_marble_carries_its_own_result_to_whom_it_wants(stage: Stage) -> None:
    done = stage.get("shop", "--ear-nonce", b"challenge of a relying party".hex())
    assert done.returncode == 0, done.stderr
    ear = stage.read().ear
    (submodule,) = ear.submodules.values()
    assert ear.nonce == b"challenge of a relying party"
    assert (ear.expires - ear.issued).total_seconds() == 1800
    assert submodule.attester_claims["unique_id"] == stage.shop_id
    assert (
        submodule.verifier_claims["certificate_sha256"]
        == sha256(stage.leaf.public_bytes(Encoding.DER)).hexdigest()
    )
    assert (ear.status, submodule.verifier_claims["simulated"]) == (Tier.CONTRAINDICATED, True)


def test_user_gets_it_from_either_worker(stage: Stage) -> None:
    for _ in range(6):
        token = stage.ask("ada", Form.CWT, marble_type="shop", uuid=stage.uuid)
        found = verify_result(token, root=stage.root, now=datetime.now(UTC))
        assert (found.form, found.signer) == (Form.CWT, stage.credentials.trust_domain)


def test_pyjwt_verifies_it_with_the_key_of_the_chain_below_the_root(stage: Stage) -> None:
    assert stage.get("shop").returncode == 0
    token = (stage.folder / "token").read_text()
    header = jwt.get_unverified_header(token)
    intermediate, root = (
        x509.load_pem_x509_certificate(
            f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----".encode()
        )
        for text in header["x5c"]
    )
    assert root == stage.root
    intermediate.verify_directly_issued_by(stage.root)
    claims = jwt.decode(token, intermediate.public_key(), algorithms=["ES384"])
    assert claims["eat_profile"] == "tag:ietf.org,2026:rats/ear#04"
    assert claims["submods"]["sgx"]["ear_verifier_claims"]["marble_type"] == "shop"


def test_result_is_said_in_words_offline(stage: Stage) -> None:
    assert stage.get("shop").returncode == 0
    refused = stage.cli("results", "verify", "token", "--root", "root.pem")
    assert refused.returncode == 1
    assert "result-status" in refused.stderr
    accepted = stage.cli("results", "verify", "token", "--root", "chain.pem", "--accept", "contraindicated")
    assert accepted.returncode == 0, accepted.stderr
    for words in ("SIMULATED", "only approved software was loaded at the start", stage.uuid):
        assert words in accepted.stdout


def test_strangers_and_other_marbles_get_nothing(stage: Stage) -> None:
    before = stage.mesh.state()
    named = {"marble_type": "shop", "uuid": stage.uuid}
    for who, whose in (("eve", {}), ("eve", named), ("shop", named), ("ada", {})):
        with pytest.raises(Unauthenticated) as refused:
            stage.ask(who, **whose)
        assert refused.value.code.endswith("unauthenticated"), (who, whose)
    done = stage.get("eve", file="nothing")
    assert (done.returncode, "unauthenticated" in done.stderr) == (1, True)
    assert not (stage.folder / "nothing").exists()
    assert stage.mesh.state() == before


def test_result_survives_a_restart_of_the_coordinator(stage: Stage) -> None:
    stage.mesh.kill()
    world.wait_until(lambda: not world.listening(stage.mesh.client_port), "the workers to end")
    stage.mesh.start(SEALMESH_WORKERS="2")
    done = stage.get("ada", "--marble", "shop", "--uuid", stage.uuid, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"form": "jwt", "file": "token"}
    ear = stage.read().ear
    assert (ear.expires - ear.issued).total_seconds() == 3600


def test_key_of_a_marble_signs_no_result_of_the_mesh(stage: Stage) -> None:
    """A Marble that writes its own result, with all its certificates, is refused offline."""
    key = load_pem_private_key(stage.credentials.key_pem.encode(), None)
    chain = x509.load_pem_x509_certificates(stage.credentials.certificate_chain_pem.encode())
    x5c = [
        "".join(item.public_bytes(Encoding.PEM).decode().splitlines()[1:-1]) for item in (*chain, stage.root)
    ]
    claims = {"iat": 1, "exp": 2}
    forged = jwt.encode(claims, key, algorithm="ES256", headers={"x5c": x5c})
    (stage.folder / "forged").write_text(forged)
    done = stage.cli("results", "verify", "forged", "--root", "root.pem")
    assert done.returncode == 1
    assert "result-algorithm" in done.stderr
