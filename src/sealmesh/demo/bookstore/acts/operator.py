"""Act 1: the operator verifies the Coordinator and sets the manifest."""

import json

from sealmesh.demo.bookstore.manifest import bookstore_manifest
from sealmesh.demo.bookstore.mesh import Mesh, start_coordinator
from sealmesh.demo.bookstore.packages import FILES, sign_all, write_package
from sealmesh.demo.bookstore.stage import Stage
from sealmesh.demo.bookstore.tees import coordinator_attester
from sealmesh.demo.tap import Tap

NAME = "the operator verifies the Coordinator and sets the manifest"


def play(stage: Stage) -> None:
    """Start a Coordinator, verify it, sign the packages, set the manifest that names them."""
    policy = stage.folder / "policy.json"
    attester = coordinator_attester(mixed=stage.mixed)
    policy.write_text(
        stage.must("coordinator", "--attester", f"{attester}:{stage.platform}", "--print-policy")
    )
    mesh = stage.mesh = Mesh(
        folder=stage.folder / "coordinator", platform=stage.platform, policy=policy, attester=attester
    )
    start_coordinator(stage.programs, mesh)
    tee = "SNP" if stage.mixed else "SGX"
    stage.narrator.say(f"a Coordinator listens on {mesh.address}, on a simulated {tee} platform")
    _verify(stage, mesh)
    folders = {
        name: write_package(stage.folder / "packages" / name, files, policy=policy)
        for name, files in FILES.items()
    }
    ids = sign_all(stage, folders)
    mesh.packages = folders
    wire = stage.wire = Tap(stage.ports.store)
    mesh.manifest.write_bytes(
        bookstore_manifest(ids, stage.ports, wire=wire.port, card=stage.card, mixed=stage.mixed)
    )
    stage.must("manifest", "check", mesh.manifest)
    stage.must("manifest", "set", mesh.manifest, mesh.address, "--policy", policy)
    status = json.loads(stage.must("status", mesh.address, "--json"))
    stage.narrator.check(
        "the Coordinator admits Marbles by this manifest", status["code"] == 3, status["message"]
    )
    stage.narrator.check("status says that hardware is simulated", status["simulation"] is True)


def _verify(stage: Stage, mesh: Mesh) -> None:
    intel = stage.folder / "intel-only.json"
    wanted = json.loads(mesh.policy.read_bytes())
    intel.write_text(json.dumps({"Coordinator": wanted["Coordinator"]}))
    refused = stage.sealmesh("status", mesh.address, "--policy", intel, "--json")
    code = json.loads(refused.out).get("error", {}).get("code")
    stage.narrator.check(
        "who believes only Intel's root refuses this Coordinator", refused.code == 1, f"error [{code}]"
    )
    verified = stage.must("status", mesh.address, "--policy", mesh.policy)
    stage.narrator.quote(verified)
    stage.narrator.check(
        "who names the simulated root verifies it; it waits for a manifest", "\n2: " in f"\n{verified}"
    )
