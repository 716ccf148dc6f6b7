"""The worked example of the documentation, as it stands there; and keys in a token."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sealmesh.cli import main
from sealmesh.demo.programs import free_port, listening

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "tasks" / "approve.md"
COORDINATOR = [sys.executable, "-m", "sealmesh.cli", "coordinator"]
SOFTHSM = next(
    (
        str(path)
        for folder in ("/usr/lib/softhsm", "/usr/lib/x86_64-linux-gnu/softhsm", "/usr/lib64/pkcs11")
        if (path := Path(folder, "libsofthsm2.so")).is_file()
    ),
    None,
)


def blocks() -> list[tuple[str, list[str]]]:
    """The example's commands, block by block, each with what it has to print."""
    found = re.findall(r"```console\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    return [
        (
            "\n".join(line for line in block.splitlines() if not line.startswith("#=> ")),
            [line.removeprefix("#=> ") for line in block.splitlines() if line.startswith("#=> ")],
        )
        for block in found
    ]


class Mesh:
    """A Coordinator on a simulated platform, and the folder that the example is done in."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        options = [
            *("--attester", f"simulated:{folder / 'platform'}", "--seal-dir", str(folder / "state")),
            *("--client-addr", f"127.0.0.1:{self.port}", "--mesh-addr", f"127.0.0.1:{free_port()}"),
        ]
        policy = subprocess.run([*COORDINATOR, *options, "--print-policy"], capture_output=True, check=True)
        (folder / "policy.json").write_bytes(policy.stdout)
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen([*COORDINATOR, *options], stdout=log, stderr=log)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def ready(self) -> None:
        while not listening(self.port):
            assert self.process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.02)

    def run(self, commands: str) -> str:
        done = subprocess.run(
            ["bash", "-euc", commands.replace("localhost:4433", self.address)],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env=os.environ
            | {
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "XDG_CONFIG_HOME": str(self.folder),
            },
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl command")
    mesh = Mesh(tmp_path_factory.mktemp("governance"))
    try:
        mesh.ready()
        yield mesh
    finally:
        mesh.process.kill()
        mesh.process.wait()


@pytest.fixture(scope="module")
def worked(mesh):
    """The example, done once; what each block printed."""
    return [(mesh.run(commands), expected) for commands, expected in blocks()]


pytestmark = pytest.mark.xdist_group("governance")


@pytest.mark.parametrize("number", range(len(blocks())))
def test_the_example_prints_what_the_page_says(worked, number):
    printed, expected = worked[number]
    assert [text for text in expected if text not in printed] == [], printed


def test_the_example_ends_with_the_new_manifest_in_force(mesh, worked):
    found = json.loads(mesh.run("sealmesh manifest get localhost:4433"))
    assert found["Marbles"]["baker"]["MaxActivations"] == 3
    shown = json.loads(mesh.run("sealmesh governance show localhost:4433 --json"))
    assert shown["epoch"] == 2
    assert json.loads(
        mesh.run("sealmesh approve list localhost:4433 --cert ada.crt --key ada.key --json")
    ) == {"approvals": []}


def test_a_used_approval_is_refused_with_its_code_and_exit_code_1(mesh, worked, capsys, monkeypatch):
    monkeypatch.chdir(mesh.folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(mesh.folder))
    arguments = ["alice.approval", mesh.address, "--cert", "ada.crt", "--key", "ada.key", "--json"]
    assert main(["approve", "submit", *arguments]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "approval-other-manifest"


def test_what_is_planned_for_a_coordinator_is_what_a_file_would_give(mesh, worked):
    by_address = mesh.run("sealmesh manifest plan manifest.yaml --coordinator localhost:4433 --json")
    by_file = mesh.run("sealmesh manifest plan manifest.yaml --against new.yaml --json")
    assert json.loads(by_address) == json.loads(by_file)
    assert json.loads(by_file)["needs"]["approvals"] == 2


def test_strangers_may_not_hand_in_or_list(mesh, worked):
    for words in ("approve submit alice.approval localhost:4433", "approve list localhost:4433"):
        made = "openssl req -x509 -newkey rsa:2048 -nodes -keyout m.key -out m.crt -subj /CN=ada 2> /dev/null"
        said = mesh.run(f"{made}; sealmesh {words} --cert m.crt --key m.key 2>&1 || true")
        assert "user-unauthenticated" in said or "coordinator-unauthenticated" in said


@pytest.mark.skipif(SOFTHSM is None, reason="no HSM simulator")
@pytest.mark.parametrize("kind", ["EC:prime256v1", "EC:secp384r1", "rsa:2048"])
def test_a_key_in_a_token_approves(mesh, worked, kind, tmp_path, capsys, monkeypatch):
    """In a process of its own: a PKCS#11 library reads its configuration once."""
    (tmp_path / "tokens").mkdir()
    (tmp_path / "conf").write_text(f"directories.tokendir = {tmp_path}/tokens\nlog.level = ERROR\n")
    script = Path(__file__).with_name("approval_in_token.py")
    manifest = json.loads(mesh.run("sealmesh manifest get localhost:4433"))
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "mesh.json").write_text(mesh.run("sealmesh governance show localhost:4433 --json"))
    done = subprocess.run(
        [sys.executable, script, SOFTHSM, kind],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | {"SOFTHSM2_CONF": str(tmp_path / "conf"), "SEALMESH_PKCS11_PIN": "5678"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "exit code 0",
        "the approval verifies",
        "a wrong PIN: token-pin",
        "no such key: token",
    ]


def test_approvals_may_go_with_the_act(mesh, worked):
    mesh.run("sealmesh governance show localhost:4433 -o mesh.json")
    for owner in ("bob", "carol"):
        mesh.run(
            "sealmesh approve make --act update-manifest --file manifest.yaml --mesh mesh.json"
            f" --key {owner}.pem --reason 'back again' -o {owner}.back"
        )
    said = mesh.run(
        "sealmesh manifest update apply manifest.yaml localhost:4433 --cert ada.crt --key ada.key"
        " --approval bob.back --approval carol.back --json"
    )
    assert json.loads(said)["applied"] is True
