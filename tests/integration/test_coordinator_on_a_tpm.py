"""A Coordinator whose own Evidence a TPM makes (swtpm), which also keeps its state's key."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import marble_mesh as world
import pytest

from sealmesh.client import parse_policy, read_statement, verify, verify_statement, write_statement
from sealmesh.errors.attestation import AppraisalError, VerificationError

SHOW = "import os, sys; print(os.environ['WORD']); sys.exit(5)\n"


@pytest.fixture(scope="module")
def mesh(tpm: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    tpm.extend(16)
    mesh = world.Mesh(tmp_path_factory.mktemp("tpm"), f"tpm:{tpm.tcti}?pcrs=sha256:7,16")
    package, unique_id = mesh.package("shop", SHOW)
    mesh.start(SEALMESH_TRUST_ROOTS=f"intel,simulated:{mesh.platform}")
    mesh.set_manifest({
        "Packages": {"shop": {"UniqueID": unique_id}},
        "Marbles": {"shop": {"Package": "shop", "Parameters": {"Env": {"WORD": "hello"}}}},
        "Simulation": True,
        "Config": {"FeatureGates": ["Simulation"]},
    })  # fmt: skip
    mesh.shop = package
    try:
        yield mesh
    finally:
        mesh.kill()


def address(mesh: Any) -> str:
    return f"127.0.0.1:{mesh.client_port}"


def policy(mesh: Any, **changes: Any) -> Any:
    return parse_policy(json.dumps({**mesh.policy, **changes}).encode())


def test_it_is_verified_by_the_key_that_its_policy_names(mesh: Any, tmp_path: Path) -> None:
    application = verify(address(mesh), policy=policy(mesh))
    assert application.evidence.family.value == "tpm"
    assert application.evidence.root.name == "this-tpm"
    write_statement(application, tmp_path / "statement.json")
    document = read_statement(tmp_path / "statement.json")
    again = verify_statement(document, policy(mesh), now=application.time, nonce=application.nonce)
    assert again.trust_domain == application.trust_domain


def test_another_tpm_or_another_state_of_it_is_refused(mesh: Any) -> None:
    other = [{"Name": "other", "SHA256": "ab" * 32, "Family": "tpm"}]
    with pytest.raises(VerificationError) as caught:
        verify(address(mesh), policy=policy(mesh, TrustRoots=other))
    assert caught.value.code == "root:attestation key"
    (form,) = mesh.policy["Coordinator"]["Evidence"]
    changed = {"TPM": {"PCRs": {**form["TPM"]["PCRs"], "7": "ab" * 32}}}
    with pytest.raises(AppraisalError, match="PCR7"):
        verify(address(mesh), policy=policy(mesh, Coordinator={"Evidence": [changed]}))


def test_marbles_join_it_and_its_state_opens_again(mesh: Any) -> None:
    def run() -> Any:
        return subprocess.run(
            [*world.SEALMESH, "run"],
            cwd=mesh.shop,
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(mesh.folder),
                "SEALMESH_ATTESTER": f"simulated:{mesh.platform}",
                "SEALMESH_COORDINATOR_ADDR": f"127.0.0.1:{mesh.mesh_port}",
                "SEALMESH_MARBLE_TYPE": "shop",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )

    first = run()
    assert (first.returncode, first.stdout) == (5, "hello\n"), first.stderr
    mesh.kill()
    assert '"sealer": "the TPM' in mesh.log
    mesh.start(SEALMESH_TRUST_ROOTS=f"intel,simulated:{mesh.platform}")
    assert mesh.phase() == 3
    again = run()
    assert (again.returncode, again.stdout) == (5, "hello\n"), again.stderr
