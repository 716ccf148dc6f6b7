"""`sealmesh run` on simulated TDX, SNP, Nitro and TPM, against a real Coordinator and one manifest."""

import subprocess
import uuid
from collections.abc import Iterator
from hashlib import sha256, sha384
from pathlib import Path
from typing import Any

import marble_mesh as world
import pytest

from sealmesh.adapters.attester.package import load

SHOW = "import os, sys; print(os.environ['WORD']); sys.exit(5)\n"
TEES = ("tdx", "snp", "nitro", "tpm")


def evidence_of(package: Path) -> list[dict[str, Any]]:
    """The forms of Evidence that a package has on a simulated platform."""
    enclave = load(package).verify_signed()
    program, signer = sha384(enclave.unique_id).hexdigest(), sha384(enclave.signer_id).hexdigest()
    firmware = sha384(b"sealmesh simulated TD firmware").hexdigest()
    return [
        {"SGX": {"UniqueID": enclave.unique_id.hex()}},
        {"TDX": {"MRTD": firmware, "RTMR2": program}},
        {"SNP": {"Measurement": program, "IDKeyDigest": signer, "MinimumTCB": {"snp": 1}}},
        {"Nitro": {"PCRs": {"0": program, "8": signer}}},
        {"TPM": {"PCRs": {"11": sha256(bytes(32) + sha256(enclave.unique_id).digest()).hexdigest()}}},
    ]


class Stage:
    """A mesh with one package that may run in any TEE, and one that may run in TDX only."""

    def __init__(self, folder: Path) -> None:
        self.mesh = world.Mesh(folder)
        self.package, _ = self.mesh.package("anywhere", SHOW)
        forms = evidence_of(self.package)
        marble = {"Parameters": {"Env": {"WORD": "hello"}}}
        self.mesh.start()
        self.mesh.set_manifest(
            {
                "Packages": {"anywhere": {"Evidence": forms}, "td": {"Evidence": forms[1:2]}},
                "Marbles": {
                    "anywhere": {"Package": "anywhere", **marble},
                    "td": {"Package": "td", **marble},
                },
                "Simulation": True,
                "Config": {"FeatureGates": ["Evidence", "Simulation"]},
            }
        )

    def run(self, marble_type: str, attester: str) -> subprocess.CompletedProcess[str]:
        identity = self.mesh.folder / f"uuid-{uuid.uuid4()}"
        return subprocess.run(
            [*world.SEALMESH, "run"],
            cwd=self.package,
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(self.mesh.folder),
                "SEALMESH_ATTESTER": f"{attester}:{self.mesh.platform}",
                "SEALMESH_COORDINATOR_ADDR": f"127.0.0.1:{self.mesh.mesh_port}",
                "SEALMESH_MARBLE_TYPE": marble_type,
                "SEALMESH_MARBLE_UUID_FILE": str(identity),
                "SEALMESH_WAIT_SECONDS": "0",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("tees"))
    try:
        yield stage
    finally:
        stage.mesh.kill()


@pytest.mark.parametrize("tee", TEES)
def test_one_package_runs_in_each_tee_that_the_manifest_lists(stage: Stage, tee: str) -> None:
    done = stage.run("anywhere", f"simulated-{tee}")
    assert (done.returncode, done.stdout) == (5, "hello\n"), done.stderr


def test_one_package_still_runs_as_an_enclave(stage: Stage) -> None:
    done = stage.run("anywhere", "simulated")
    assert (done.returncode, done.stdout) == (5, "hello\n"), done.stderr


def test_tee_that_the_package_does_not_list_is_refused_and_leaves_nothing(stage: Stage) -> None:
    before = stage.mesh.update_log()
    done = stage.run("td", "simulated-snp")
    assert done.returncode not in (0, 5)
    assert done.stdout == ""
    assert "Family: found snp, wanted tdx" in done.stderr
    assert stage.mesh.update_log() == before
