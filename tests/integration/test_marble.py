"""`sealmesh run` against a real Coordinator: joining, refusals, the program's life, renewal, old Marbles."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import marble_mesh as world
import marble_programs as programs
import pytest

CANARY = "CANARY-secret-0123456789"

SHOW = """
import json, os, sys
print(json.dumps({"env": dict(os.environ), "argv": sys.argv, "cwd": os.getcwd()}), flush=True)
sys.exit(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
"""
SLEEPER = """
import signal, sys, time
def stop(number, _): print("stopped by", number, flush=True); sys.exit(42)
signal.signal(signal.SIGTERM, stop)
print("sleeping", flush=True)
time.sleep(600)
"""


class Stage:
    """A mesh with a manifest that has a Marble type for everything these tests do."""

    def __init__(self, folder: Path) -> None:
        self.mesh = world.Mesh(folder)
        self.ports = {name: world.free_port() for name in ("server", "old-server", "short")}
        server, old = self.ports["server"], self.ports["old-server"]
        own_tls = {"tls": "own"}
        packages = {
            "server": self.mesh.package("server", programs.SERVER, server),
            "buyer": self.mesh.package("buyer", programs.CLIENT, server),
            "thief": self.mesh.package("thief", programs.CLIENT + "# thief\n", server),
            "old-caller": self.mesh.package(
                "old-caller", programs.OLD_STYLE, "call", server, dataplane=own_tls
            ),
            "old-thief": self.mesh.package(
                "old-thief", programs.OLD_STYLE + "#\n", "call", server, dataplane=own_tls
            ),
            "old-server": self.mesh.package(
                "old-server", programs.OLD_STYLE, "serve", old, dataplane=own_tls
            ),
            "old-client": self.mesh.package("old-client", programs.CLIENT, old),
            "short": self.mesh.package("short", programs.SERVER, self.ports["short"]),
            "sleeper": self.mesh.package("sleeper", SLEEPER),
            "once": self.mesh.package("once", SHOW + "# once\n"),
            "shell": self.mesh.package("shell", "echo $WORD; exit 7\n", exe="/bin/sh"),
            "show": self.mesh.package(
                "show",
                SHOW,
                env=[
                    {"name": "FIXED", "value": "by the package"},
                    {"name": "FROM_HOST", "fromHost": True},
                    {"name": "UNSET", "fromHost": True},
                ],
            ),
        }
        self.folders = {name: folder for name, (folder, _) in packages.items()}
        self.mesh.start()
        self.mesh.set_manifest(self._manifest({name: unique_id for name, (_, unique_id) in packages.items()}))

    def _manifest(self, ids: dict[str, str]) -> dict:
        server, old, short = (str(self.ports[name]) for name in ("server", "old-server", "short"))
        marbles: dict[str, dict] = {name: {"Package": name} for name in ids}
        for name in ("server", "short"):
            marbles[name] |= {"TLS": [name], "Parameters": {"Env": {"WORD": CANARY}}}
        for name in ("buyer", "thief", "old-client"):
            marbles[name] |= {"TLS": [name]}
        marbles["once"]["MaxActivations"] = 1
        marbles["short"]["Certificate"] = {"Lifetime": 10}
        marbles["shell"]["Parameters"] = {"Env": {"WORD": "from the manifest"}}
        marbles["show"] |= {
            "MaxActivations": 20,
            "Parameters": {
                "Env": {"SECRET": "{{ hex .Secrets.key }}", "FIXED": "by the manifest"},
                "Files": {"deep/er/file": "{{ raw .Secrets.key }}"},
                "Argv": ["ignored", "program", "5", "from the manifest"],
            },
        }
        out = {"Addr": "127.0.0.1", "Port": server}
        return {
            "Packages": {name: {"UniqueID": unique_id} for name, unique_id in ids.items()},
            "Marbles": marbles,
            "Secrets": {"key": {"Type": "symmetric-key", "Size": 128}},
            "TLS": {
                "server": {"Incoming": [{"Port": server}]},
                "short": {"Incoming": [{"Port": short}]},
                "buyer": {"Outgoing": [out]},
                "thief": {"Outgoing": [out]},
                "old-client": {"Outgoing": [{"Addr": "127.0.0.1", "Port": old}]},
            },
            "Access": [
                {"From": ["buyer", "old-caller"], "To": "server", "Ports": [server]},
                {"From": ["old-client"], "To": "old-server", "Ports": ["*"]},
                {"From": ["buyer"], "To": "short", "Ports": ["*"]},
            ],
            "Simulation": True,
            "Config": {"FeatureGates": ["Access", "Simulation", "Certificate"]},
        }

    def copy(self, name: str, to: Path) -> Path:
        """Copy a package to a new place, as to another machine."""
        subprocess.run(["cp", "-r", str(self.folders[name]), str(to / name)], check=True)
        return to / name

    def run(self, name: str, to: Path, *options: str, **env: str):
        folder = to / name if (to / name).is_dir() else self.copy(name, to)
        return world.Marble(self.mesh, name, folder, *options, **env)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("marbles"))
    try:
        yield made
    finally:
        made.mesh.kill()


pytestmark = pytest.mark.xdist_group("marble")


def test_program_gets_exactly_what_package_and_manifest_say(stage: Stage, tmp_path: Path) -> None:
    with stage.run("show", tmp_path, FROM_HOST="by the host", NOT_DECLARED="x", PYTHONPATH="/evil") as marble:
        assert marble.code() == 5, marble.errors
        shown = json.loads(marble.output)
    env, folder = shown["env"], marble.folder
    assert shown["argv"] == ["program", "5", "from the manifest"]
    assert env["FIXED"] == "by the manifest"
    assert env["FROM_HOST"] == "by the host"
    assert "NOT_DECLARED" not in env
    assert "UNSET" not in env
    assert "/evil" not in env["PYTHONPATH"]
    assert (folder / "deep/er/file").read_bytes().hex() == env["SECRET"]
    assert (folder / "deep/er/file").stat().st_mode & 0o777 == 0o600
    assert (folder / "deep").stat().st_mode & 0o777 == 0o700
    assert str(uuid.UUID((folder / "uuid").read_text())) == (folder / "uuid").read_text()
    for name in ("ROOT_CA", "MARBLE_CERTIFICATE_CHAIN", "COORDINATOR_ROOT_CA"):
        assert "BEGIN CERTIFICATE" in env[f"MARBLE_PREDEFINED_{name}"]
    assert not any("PRIVATE KEY" in value for value in env.values())
    assert env["SECRET"] not in marble.errors
    assert "PRIVATE KEY" not in marble.errors
    assert "SIMULATION" in marble.errors
    assert not Path(env["SEALMESH_AGENT"]).parent.exists(), "the agent must remove its directory"


def test_restart_keeps_the_uuid_and_with_it_the_secrets(stage: Stage, tmp_path: Path) -> None:
    secrets = []
    for _ in range(2):
        with stage.run("show", tmp_path) as marble:
            marble.code()
            secrets.append(json.loads(marble.output.splitlines()[-1])["env"]["SECRET"])
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with stage.run("show", elsewhere) as marble:
        marble.code()
        assert json.loads(marble.output)["env"]["SECRET"] != secrets[0]
    assert secrets[0] == secrets[1]


def test_marbles_talk_and_access_decides(stage: Stage, tmp_path: Path) -> None:
    with stage.run("server", tmp_path) as server:
        server.wait_for("serving")
        with stage.run("buyer", tmp_path) as buyer:
            assert buyer.code() == 0, buyer.errors
            assert f"got {CANARY}" in buyer.output
        with stage.run("thief", tmp_path) as thief:
            assert thief.code() == 0, thief.errors
            assert "refused:" in thief.output
            assert "'thief' may not call 'server'" in thief.output
        assert CANARY not in thief.output


def test_marble_of_marblerun_calls_ours_where_access_lets_it(stage: Stage, tmp_path: Path) -> None:
    with stage.run("server", tmp_path) as server:
        server.wait_for("serving")
        with stage.run("old-caller", tmp_path, "--legacy") as caller:
            assert caller.code() == 0, caller.errors
            assert f"got {CANARY}" in caller.output, caller.output + caller.errors
        with stage.run("old-thief", tmp_path, "--legacy") as thief:
            assert thief.code() == 0, thief.errors
            assert CANARY not in thief.output
        world.wait_until(
            lambda: "'old-thief' may not call 'server'" in server.errors, "the refusal in the server's log"
        )


def test_ours_calls_a_marble_of_marblerun(stage: Stage, tmp_path: Path) -> None:
    with stage.run("old-server", tmp_path, "--legacy") as server:
        server.wait_for("serving")
        with stage.run("old-client", tmp_path) as client:
            assert client.code() == 0, client.errors
            assert "got old word" in client.output, client.output
        assert "its connections are its own affair" in server.errors


def test_program_that_is_not_python_gets_its_parameters_and_the_agent_says_so(
    stage: Stage, tmp_path: Path
) -> None:
    with stage.run("shell", tmp_path) as marble:
        assert marble.code() == 7
        assert marble.output == "from the manifest\n"
        assert "files and environment only" in marble.errors


def test_signals_go_to_the_program_and_its_code_comes_back(stage: Stage, tmp_path: Path) -> None:
    with stage.run("sleeper", tmp_path) as marble:
        marble.wait_for("sleeping")
        marble.process.send_signal(signal.SIGTERM)
        assert marble.code() == 42
        assert "stopped by 15" in marble.output


def test_program_that_a_signal_ends_gives_128_and_the_signal(stage: Stage, tmp_path: Path) -> None:
    with stage.run("sleeper", tmp_path) as marble:
        marble.wait_for("sleeping")
        os.kill(marble.children()[0], signal.SIGKILL)
        assert marble.code() == 128 + 9


def test_program_dies_with_its_agent(stage: Stage, tmp_path: Path) -> None:
    with stage.run("sleeper", tmp_path) as marble:
        marble.wait_for("sleeping")
        child = marble.children()[0]
        marble.process.kill()
        marble.process.wait()
    world.wait_until(lambda: not _alive(child), "the program to end")


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


#: attack: how it is made, the error's code, words of the error.
REFUSALS: dict[str, tuple[dict, str, tuple[str, ...]]] = {
    "another program than the measured one": (
        {"command": (sys.executable, "other")},
        "marble.program",
        ("found:", "python other", "python program"),
    ),
    "other arguments": (
        {"command": (sys.executable, "program", "--evil")},
        "marble.program",
        ("program --evil", "sign again"),
    ),
    "a type that the manifest has not": ({"type": "nobody"}, "unknown-marble-type", ("nobody",)),
    "another package than the type's": (
        {"type": "server"},
        "appraisal",
        ("The Coordinator refused this Marble", "UniqueID: found"),
    ),
    "a changed byte": ({"change": True}, "package:changed", ("program", "sign")),
    "a changed byte, signed again": (
        {"change": True, "sign": True},
        "appraisal",
        ("The Coordinator refused this Marble", "UniqueID: found"),
    ),
    "a Coordinator of another signer, signed again": (
        {"policy": {"Coordinator": {"SignerID": "ab" * 32, "ProductID": 1, "SecurityVersion": 1}}},
        "appraisal",
        ("The Coordinator refused this Marble", "UniqueID: found"),
    ),
    "a package that does not say which Coordinator": (
        {"policy": None},
        "marble.configuration",
        ("coordinator", "--print-policy", "sign the package again"),
    ),
    "a platform that is not the mesh's": (
        {"env": {"SEALMESH_ATTESTER": "simulated:other-platform"}},
        "root:pck",
        ("The Coordinator refused this Marble", "another root"),
    ),
    "no way to make Evidence": (
        {"env": {"SEALMESH_ATTESTER": "none"}},
        "marble.configuration",
        ("no way to make Evidence", "--attester simulated"),
    ),
    "a UUID file that holds none": (
        {"files": {"uuid": "not a uuid"}},
        "marble.configuration",
        ("uuid", "not a uuid", "Delete it"),
    ),
    "conflicting settings": (
        {"env": {"SEALMESH_MARBLE_TYPE": "x"}},
        "marble.configuration-conflict",
        ("SEALMESH_MARBLE_TYPE and EDG_MARBLE_TYPE contradict", "x and show"),
    ),
    "no Coordinator": (
        {"env": {"EDG_MARBLE_COORDINATOR_ADDR": "127.0.0.1:1"}, "options": ("--wait", "0")},
        "marble.coordinator-unavailable",
        ("127.0.0.1:1", "cannot be reached"),
    ),
    "a server that is no Coordinator": (
        {"env": {"EDG_MARBLE_COORDINATOR_ADDR": "the client port"}},
        "marble.coordinator-refused",
        ("does not answer as a Coordinator", "mesh port", "--coordinator-addr"),
    ),
}


@pytest.mark.parametrize("attack", REFUSALS)
def test_refused_marble_starts_nothing_and_says_why(attack: str, stage: Stage, tmp_path: Path) -> None:
    how, code, words = REFUSALS[attack]
    folder = stage.copy("show", tmp_path)
    for name, text in how.get("files", {}).items():
        (folder / name).write_text(text)
    if "policy" in how:
        document = json.loads((folder / "sealmesh.json").read_text())
        document["coordinator"] = how["policy"] and {**stage.mesh.policy, **how["policy"]}
        (folder / "sealmesh.json").write_text(json.dumps(document))
        world.sign(folder)
    if how.get("change"):
        (folder / "program").write_text(SHOW + "#")
    if how.get("sign"):
        world.sign(folder)
    env = dict(how.get("env", {}))
    if env.get("EDG_MARBLE_COORDINATOR_ADDR") == "the client port":
        env["EDG_MARBLE_COORDINATOR_ADDR"] = f"127.0.0.1:{stage.mesh.client_port}"
    before, files = stage.mesh.state(), {path.name for path in folder.iterdir()}
    with world.Marble(
        stage.mesh,
        how.get("type", "show"),
        folder,
        *how.get("options", ()),
        command=how.get("command", ()),
        **env,
    ) as marble:
        assert marble.code() == 1
    assert f"error [{code}]" in marble.errors
    assert [word for word in words if word not in marble.errors] == []
    assert "Traceback" not in marble.errors
    assert marble.output == "", "the program must not have started"
    left = {path.name for path in folder.iterdir()} - files
    assert left <= {"uuid", "out", "err", "other-platform"}, "no file of the manifest may be written"
    assert stage.mesh.state() == before, "nothing may have been admitted"


def test_refused_attempts_do_not_use_up_the_activations(stage: Stage, tmp_path: Path) -> None:
    folder = stage.copy("once", tmp_path)
    impostor = stage.copy("show", tmp_path)
    with world.Marble(stage.mesh, "once", impostor) as marble:
        assert marble.code() == 1
        assert "error [appraisal]" in marble.errors
    with world.Marble(stage.mesh, "once", folder) as marble:
        assert marble.code() == 0, marble.errors
    with world.Marble(stage.mesh, "once", folder) as marble:
        assert marble.code() == 1
        assert "error [activation-limit]" in marble.errors
    assert marble.output.count("argv") == 1, "the second must not have started"


def test_marble_waits_for_the_coordinator_and_its_manifest(tmp_path: Path) -> None:
    mesh = world.Mesh(tmp_path)
    folder, unique_id = mesh.package("show", SHOW)
    with world.Marble(mesh, "show", folder) as marble:
        try:
            world.wait_until(lambda: "waiting for the Coordinator" in marble.errors, "the first attempt")
            mesh.start()
            world.wait_until(lambda: "does not admit Marbles now" in marble.errors, "the refusal for now")
            mesh.set_manifest(
                {
                    "Packages": {"show": {"UniqueID": unique_id}},
                    "Marbles": {"show": {"Package": "show"}},
                    "Simulation": True,
                    "Config": {"FeatureGates": ["Simulation"]},
                }
            )
            assert marble.code() == 0, marble.errors
        finally:
            mesh.kill()


def test_marble_refuses_a_coordinator_that_the_measured_policy_does_not_want(tmp_path: Path) -> None:
    """The package is admitted by the manifest; it is the Marble that refuses."""
    mesh = world.Mesh(tmp_path)
    wrong = {**mesh.policy, "Coordinator": {"UniqueID": "ab" * 32}}
    roots = {"Coordinator": mesh.policy["Coordinator"]}
    packages = {
        "unique": mesh.package("unique", SHOW, coordinator=wrong),
        "roots": mesh.package("roots", SHOW, coordinator=roots),
    }
    mesh.start()
    try:
        mesh.set_manifest(
            {
                "Packages": {name: {"UniqueID": unique_id} for name, (_, unique_id) in packages.items()},
                "Marbles": {
                    name: {"Package": name, "Parameters": {"Files": {"secret": "x"}}} for name in packages
                },
                "Simulation": True,
                "Config": {"FeatureGates": ["Simulation"]},
            }
        )
        for name, said in (("unique", "UniqueID: found"), ("roots", "no accepted trust root")):
            with world.Marble(mesh, name, packages[name][0]) as marble:
                assert marble.code() == 1
                assert "error [marble.coordinator-refused]" in marble.errors
                assert said in marble.errors
                assert "The Coordinator refused" not in marble.errors
                assert marble.output == ""
                assert not (marble.folder / "secret").exists(), "nothing may be applied before that"
    finally:
        mesh.kill()


def test_program_without_any_evidence_joins_only_where_the_coordinator_was_told_to_let_it(
    tmp_path: Path,
) -> None:
    """MarbleRun's simulation: no package, no quote; our relaxation has its own name and is off by default."""
    mesh = world.Mesh(tmp_path)
    folder = tmp_path / "anything"
    folder.mkdir()
    (folder / "program").write_text(SHOW)
    options, command = ("--legacy", "--attester", "none"), ("python", "program", "3")
    manifest = {
        "Packages": {"any": {"UniqueID": "00" * 32}},
        "Marbles": {"any": {"Package": "any"}},
        "Simulation": True,
        "Config": {"FeatureGates": ["Simulation"]},
    }
    environment = {"SEALMESH_ATTESTER": "", "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    try:
        mesh.start()
        mesh.set_manifest(manifest)
        acts = mesh.acts()
        with world.Marble(mesh, "any", folder, *options, command=command, **environment) as marble:
            assert marble.code() == 1
        assert "The Coordinator refused this Marble" in marble.errors
        assert marble.output == ""
        assert mesh.acts() == acts
        mesh.kill()
        mesh.start(SEALMESH_COMPAT="insecure-empty-quotes")
        with world.Marble(mesh, "any", folder, *options, command=command, **environment) as marble:
            assert marble.code() == 3, marble.errors
        assert json.loads(marble.output)["argv"] == ["program", "3"]
        assert "the program's TLS has shown itself" in marble.errors
    finally:
        mesh.kill()
