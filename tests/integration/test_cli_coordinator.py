"""The command line and the client against a real Coordinator process."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sealmesh.cli import main
from sealmesh.client import read_policy, verify
from sealmesh.demo.programs import free_port, listening
from sealmesh.errors.attestation import VerificationError

MANIFEST = {
    "Packages": {"oven": {"UniqueID": "c0ffee00" * 8}},
    "Marbles": {"baker": {"Package": "oven"}},
    "Simulation": True,
    "Config": {"FeatureGates": ["Simulation"]},
}
COORDINATOR = [sys.executable, "-m", "sealmesh.cli", "coordinator"]


class Running:
    """A Coordinator process on free ports."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder, self.client = folder, free_port()
        self.options = [
            *("--attester", f"simulated:{folder / 'platform'}", "--seal-dir", str(folder / "state")),
            *("--client-addr", f"127.0.0.1:{self.client}", "--mesh-addr", f"127.0.0.1:{free_port()}"),
            *options,
        ]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.client}"

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*COORDINATOR, *self.options],
                stdout=log,
                stderr=log,
                env=os.environ | {"HOME": str(self.folder)},
            )
        deadline = time.monotonic() + 30
        while not listening(self.client):
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cli")


@pytest.fixture(scope="module")
def coordinator(home: Path) -> Iterator[Running]:
    """A Coordinator with a manifest, and `policy.json` beside it."""
    running = Running(home, "--compat", "lenient-manifest")
    policy = subprocess.run(
        [*COORDINATOR, *running.options, "--print-policy"], capture_output=True, check=True
    ).stdout
    (home / "policy.json").write_bytes(policy)
    (home / "manifest.json").write_text(json.dumps(MANIFEST))
    running.start()
    try:
        yield running
    finally:
        running.kill()


@pytest.fixture
def cli(home: Path, capsys, monkeypatch) -> Callable[..., tuple[int, str, str]]:
    """Run a command in the folder; give exit code, stdout, stderr."""
    monkeypatch.chdir(home)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))

    def run(*words: str) -> tuple[int, str, str]:
        code = main(list(words))
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.mark.xdist_group("cli_coordinator")
class TestSession:
    """An operator's session, in order."""

    def test_before_a_manifest_the_coordinator_waits(self, coordinator, cli) -> None:
        code, out, _ = cli("status", coordinator.address, "--policy", "policy.json")
        assert code == 0
        assert "\n2: " in out

    def test_no_statement_is_made_before_a_manifest(self, coordinator, cli) -> None:
        code, out, err = cli("verify", coordinator.address, "--policy", "policy.json")
        assert (code, out) == (1, "")
        assert "Set a manifest first" in err
        assert not Path("statement.json").exists()

    def test_a_policy_of_another_root_refuses_and_sets_nothing(self, coordinator, cli, home) -> None:
        policy = json.loads((home / "policy.json").read_bytes())
        (home / "intel.json").write_text(json.dumps({"Coordinator": policy["Coordinator"]}))
        code, _, err = cli("manifest", "set", "manifest.json", coordinator.address, "--policy", "intel.json")
        assert code == 1
        assert err.startswith("error [")
        _, out, _ = cli("status", coordinator.address, "--json")
        assert json.loads(out)["code"] == 2

    def test_the_manifest_is_set_and_the_chain_kept(self, coordinator, cli, home) -> None:
        code, out, _ = cli("manifest", "set", "manifest.json", coordinator.address, "--policy", "policy.json")
        assert code == 0
        assert "The manifest is set" in out
        assert (home / "config" / "marblerun" / "coordinator-cert.pem").exists()

    def test_the_kept_chain_is_trust_enough_for_later_commands(self, coordinator, cli) -> None:
        code, out, _ = cli("manifest", "get", coordinator.address)
        assert code == 0
        assert out == json.dumps(MANIFEST)  # byte for byte: the fingerprint is over these

    def test_a_second_manifest_is_refused(self, coordinator, cli) -> None:
        assert cli("manifest", "set", "manifest.json", coordinator.address, "-i")[0] == 1

    def test_the_log_tells_of_the_manifest(self, coordinator, cli) -> None:
        code, out, _ = cli("manifest", "log", coordinator.address)
        assert code == 0
        assert "initial manifest" in out

    def test_the_manifest_is_verified_by_file_and_by_fingerprint(self, coordinator, cli) -> None:
        code, out, _ = cli("manifest", "signature", "manifest.json")
        fingerprint = out.strip()
        assert code == 0
        assert cli("manifest", "verify", "manifest.json", coordinator.address)[0] == 0
        assert cli("manifest", "verify", fingerprint, coordinator.address)[0] == 0
        code, _, err = cli("manifest", "verify", "0" * 64, coordinator.address)
        assert code == 1
        assert "manifest-differs" in err

    def test_certificates_are_written(self, coordinator, cli, home) -> None:
        for which, count in (("root", 1), ("intermediate", 1), ("chain", 2)):
            assert cli("certificate", which, coordinator.address, "-o", f"{which}.pem")[0] == 0
            assert (home / f"{which}.pem").read_text().count("BEGIN CERTIFICATE") == count

    def test_the_application_verifies_and_the_statement_is_kept(self, coordinator, cli, home) -> None:
        code, out, _ = cli("verify", coordinator.address, "--policy", "policy.json")
        assert code == 0
        assert out.startswith("VERIFIED")
        assert "SIMULATION" in out
        assert "relaxations  lenient-manifest" in out
        assert (home / "statement.json").exists()

    def test_the_kept_statement_verifies_offline_as_of_now(self, cli) -> None:
        code, out, _ = cli("verify", "statement.json", "--policy", "policy.json")
        assert code == 0
        assert "not as it is now" in out

    def test_the_kept_statement_does_not_verify_at_a_time_when_its_collateral_was_not_valid(
        self, cli
    ) -> None:
        for moment in ("2020-01-01T00:00:00Z", "2040-01-01"):
            code, out, err = cli("verify", "statement.json", "--policy", "policy.json", "--at", moment)
            assert (code, out) == (1, "")
            assert "error [expired:" in err

    def test_a_policy_that_accepts_no_relaxations_refuses_it(self, cli, home) -> None:
        policy = json.loads((home / "policy.json").read_bytes()) | {"Relaxations": []}
        (home / "strict.json").write_text(json.dumps(policy))
        code, out, _ = cli("verify", "statement.json", "--policy", "strict.json", "--json")
        assert code == 1
        assert json.loads(out)["error"]["code"] == "statement-relaxations"

    def test_a_tampered_statement_is_refused(self, cli, home) -> None:
        document = json.loads((home / "statement.json").read_bytes())
        document["relaxations"] = []
        (home / "forged.json").write_text(json.dumps(document))
        code, _, err = cli("verify", "forged.json", "--policy", "policy.json")
        assert code == 1
        assert "ReportData" in err

    def test_the_python_call_gives_the_same(self, coordinator, home) -> None:
        found = verify(coordinator.address, policy=read_policy(home / "policy.json"))
        assert json.loads(found.manifest_raw) == MANIFEST
        assert found.relaxations == ("lenient-manifest",)

    def test_simulated_evidence_is_refused_where_only_intel_is_believed(self, coordinator, home) -> None:
        with pytest.raises(VerificationError):
            verify(coordinator.address, policy=read_policy(home / "intel.json"))

    def test_after_a_kill_the_same_statement_is_made_again(self, coordinator, home) -> None:
        before = verify(coordinator.address, policy=read_policy(home / "policy.json"))
        coordinator.kill()
        coordinator.start()
        after = verify(coordinator.address, policy=read_policy(home / "policy.json"))
        assert (after.root, after.manifest_sha256) == (before.root, before.manifest_sha256)
        assert after.checkpoint == before.checkpoint
        assert after.document != before.document


def test_a_policy_for_a_coordinator_without_evidence_is_refused(capsys) -> None:
    words = ["coordinator", "--compat", "insecure-empty-quotes", "--attester", "none", "--print-policy"]
    assert main(words) == 1
    assert "error [usage]" in capsys.readouterr().err


def test_options_of_the_coordinator_are_those_of_its_configuration() -> None:
    import inspect

    from sealmesh.cli.commands.server import coordinator as command
    from sealmesh.server.configuration import SETTINGS

    options = {name.replace("_", "-") for name in inspect.signature(command).parameters}
    hidden = {"dev-mode", "debug-logging", "simulation"}  # MarbleRun's variables, not options of ours
    assert {item.name for item in SETTINGS} - hidden == options - {"print-policy", "as-json"}
