"""All kinds of programs under `sealmesh run`: old Marbles, other languages, signals, no key to find."""

import os
import shutil
import signal
import subprocess
import venv
from collections.abc import Iterator
from pathlib import Path

import marble_mesh as world
import marble_programs as programs
import pytest

CANARY = "CANARY-secret-0123456789"
OPENSSL = shutil.which("openssl")
COMPILER = shutil.which("cc")
OWN_TLS = {"dataplane": {"tls": "own"}}
FIRST_LINE = "print('the program has started', flush=True)\n"


class Stage:
    """A mesh with one type for each kind of program."""

    def __init__(self, folder: Path) -> None:
        self.mesh = world.Mesh(folder)
        self.ports = {name: world.free_port() for name in ("server", "legacy-server", "own-server")}
        server, legacy, own = self.ports.values()
        make = self.mesh.package
        packages = {
            "server": make("server", programs.SERVER, server),
            "client": make("client", programs.CLIENT, server),
            "client-of-legacy": make("client-of-legacy", programs.CLIENT, legacy),
            "client-of-own": make("client-of-own", programs.CLIENT, own),
            "legacy-server": make("legacy-server", programs.SERVER + "#\n", legacy),
            "legacy-client": make("legacy-client", programs.CLIENT + "#\n", server),
            "legacy-thief": make("legacy-thief", programs.CLIENT + "##\n", server),
            "own-server": make("own-server", programs.OLD_STYLE, "serve", own, **OWN_TLS),
            "own-client": make("own-client", programs.OLD_STYLE, "call", server, **OWN_TLS),
            "own-to-legacy": make("own-to-legacy", programs.OLD_STYLE, "call", legacy, **OWN_TLS),
            "signals": make("signals", programs.SIGNALS),
            "orphans": make("orphans", programs.ORPHANS),
            "reader": make("reader", programs.READER),
            "cat": make("cat", "", exe="/bin/cat", args=[]),
            "isolated": make("isolated", FIRST_LINE),
            "greedy": make("greedy", FIRST_LINE, dataplane={"credentials": "given"}),
            "early": make("early", FIRST_LINE, exe=self._python_with_early_socket(folder)),
            "impostor": make("impostor", "echo ran\n", exe=self._not_python(folder)),
        }
        if OPENSSL:
            packages["openssl"] = make("openssl", programs.OPENSSL, OPENSSL, server, exe="/bin/sh")
        if COMPILER:
            packages["c"] = self._compiled(make)
        self.folders = {name: place for name, (place, _) in packages.items()}
        self.mesh.start()
        self.mesh.set_manifest(self._manifest({name: unique_id for name, (_, unique_id) in packages.items()}))

    def _python_with_early_socket(self, folder: Path) -> str:
        venv.create(folder / "early-venv", with_pip=False, symlinks=True)
        site = next((folder / "early-venv").glob("lib/python*/site-packages"))
        (site / "early.pth").write_text("import socket\n")
        return str(folder / "early-venv/bin/python")

    def _not_python(self, folder: Path) -> str:
        path = folder / "not" / "python3"
        path.parent.mkdir()
        path.write_text('#!/bin/sh\nexec /bin/sh "$@"\n')
        path.chmod(0o755)
        return str(path)

    def _compiled(self, make) -> tuple[Path, str]:
        assert COMPILER is not None
        source, binary = self.mesh.folder / "program.c", self.mesh.folder / "program"
        source.write_text(programs.C_PROGRAM)
        subprocess.run([COMPILER, "-o", str(binary), str(source)], check=True)
        return make("c", "", exe=str(binary), args=["by the package"])

    def _manifest(self, ids: dict[str, str]) -> dict:
        marbles: dict[str, dict] = {name: {"Package": name} for name in ids}
        tags: dict[str, dict] = {
            name: {"Incoming": [{"Port": str(port)}]} for name, port in self.ports.items()
        }
        for client, server in (
            ("client", "server"),
            ("legacy-client", "server"),
            ("legacy-thief", "server"),
            ("client-of-legacy", "legacy-server"),
            ("client-of-own", "own-server"),
        ):
            tags[client] = {"Outgoing": [{"Addr": "127.0.0.1", "Port": str(self.ports[server])}]}
        for name in tags:
            marbles[name]["TLS"] = [name]
        for name in ("server", "legacy-server"):
            marbles[name]["Parameters"] = {"Env": {"WORD": CANARY}}
        given = {"Files": {"given/file": "from the manifest"}, "Argv": ["isolated", "-I", "program"]}
        marbles["isolated"]["Parameters"] = given
        for name in ("early", "impostor"):
            marbles[name]["TLS"] = ["client"]
        if "c" in marbles:
            marbles["c"]["Parameters"] = {
                "Env": {"WORD": "from the manifest"},
                "Files": {"given/file": "in a file"},
                "Argv": ["its own name", "two words", "three"],
            }
        callers = [name for name in ("client", "legacy-client", "own-client", "openssl") if name in ids]
        return {
            "Packages": {name: {"UniqueID": unique_id} for name, unique_id in ids.items()},
            "Marbles": marbles,
            "TLS": tags,
            "Access": [
                {"From": callers, "To": "server", "Ports": ["*"]},
                {"From": ["client-of-legacy"], "To": "legacy-server", "Ports": ["*"]},
                {"From": ["client-of-own"], "To": "own-server", "Ports": ["*"]},
            ],
            "Simulation": True,
            "Config": {"FeatureGates": ["Access", "Simulation"]},
        }

    def run(self, name: str, *options: str, **env):
        return world.Marble(self.mesh, name, self.folders[name], *options, **env)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("programs"))
    try:
        yield made
    finally:
        made.mesh.kill()


@pytest.fixture(scope="module")
def server(stage: Stage) -> Iterator[object]:
    with stage.run("server") as marble:
        marble.wait_for("serving")
        yield marble


pytestmark = pytest.mark.xdist_group("marble-programs")


# ---- old Marbles and ours


def test_wrapped_program_that_joined_the_old_way_calls_ours(stage: Stage, server) -> None:
    with stage.run("legacy-client", "--legacy") as client:
        assert client.code() == 0, client.errors
        assert f"got {CANARY}" in client.output, client.output
    assert "legacy activation: the Coordinator is not verified" in client.errors


def test_access_of_the_accepting_side_also_binds_who_joined_the_old_way(stage: Stage, server) -> None:
    with stage.run("legacy-thief", "--legacy") as thief:
        assert thief.code() == 0, thief.errors
        assert "refused:" in thief.output
        assert CANARY not in thief.output
    server.wait_for_error("'legacy-thief' may not call 'server'")


def test_wrapped_server_that_joined_the_old_way_serves_both_kinds(stage: Stage) -> None:
    """Access does not travel with MarbleRun's activation, so it lets in any Marble of its mesh."""
    with stage.run("legacy-server", "--legacy") as legacy:
        legacy.wait_for("serving")
        with stage.run("client-of-legacy") as client:
            assert client.code() == 0, client.errors
            assert f"got {CANARY}" in client.output, client.output
        with stage.run("own-to-legacy", "--legacy") as old:
            assert old.code() == 0, old.errors
            assert f"got {CANARY}" in old.output, old.output


def test_program_with_its_own_tls_talks_both_ways_with_the_key_it_was_given(stage: Stage, server) -> None:
    with stage.run("own-client") as client:
        assert client.code() == 0, client.errors
        assert f"got {CANARY}" in client.output, client.output
    with stage.run("own-server") as own:
        own.wait_for("serving")
        with stage.run("client-of-own") as client:
            assert client.code() == 0, client.errors
            assert "got old word" in client.output, client.output


# ---- other languages


@pytest.mark.skipif(OPENSSL is None, reason="there is no openssl command")
def test_program_without_python_does_its_tls_with_the_predefined_variables(stage: Stage, server) -> None:
    with stage.run("openssl") as marble:
        marble.code()
        said = (marble.folder / "err.txt").read_text()
        assert CANARY in marble.output, marble.errors + said
        assert "files and environment only" in marble.errors


@pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")
def test_compiled_program_gets_files_environment_and_arguments(stage: Stage) -> None:
    with stage.run("c") as marble:
        assert marble.code() == 9
        assert marble.output.splitlines() == [
            "argument two words",
            "argument three",
            "file in a file",
            "variable from the manifest",
            "key given",
        ]


def test_standard_streams_are_the_programs_own(stage: Stage) -> None:
    for name, expected in (("cat", "by pipe"), ("reader", "read by pipe\n")):
        with stage.run(name, stdin=subprocess.PIPE) as marble:
            assert marble.process.stdin is not None
            marble.process.stdin.write(b"by pipe")
            marble.process.stdin.close()
            assert marble.code() == 0
            assert marble.output == expected
    assert "\nand said\n" in marble.errors


# ---- life and death


def test_every_signal_reaches_the_program(stage: Stage) -> None:
    numbers = (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM)
    with stage.run("signals") as marble:
        marble.wait_for("sleeping")
        for number in numbers:
            marble.process.send_signal(number)
            marble.wait_for(f"signal {int(number)}\n")
        assert marble.code() == 42
    assert marble.output.splitlines() == ["sleeping", *(f"signal {int(number)}" for number in numbers)]


def test_orphans_of_the_program_are_reaped(stage: Stage) -> None:
    with stage.run("orphans") as marble:
        marble.wait_for("left")
        orphan = int(marble.output.split("orphan ")[1].split()[0])
        world.wait_until(lambda: not Path(f"/proc/{orphan}").exists(), "the orphan's zombie to go")
        assert marble.process.poll() is None


def test_private_key_of_a_wrapped_program_is_nowhere_to_be_found(stage: Stage, server) -> None:
    (child,) = server.children()
    for pid in (child, server.process.pid):
        for name in ("environ", "cmdline"):
            assert b"PRIVATE KEY" not in Path(f"/proc/{pid}/{name}").read_bytes()
    agent = next(
        entry.partition(b"=")[2]
        for entry in Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
        if entry.startswith(b"SEALMESH_AGENT=")
    )
    directory = Path(os.fsdecode(agent)).parent
    assert directory.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in directory.iterdir()] == ["agent"]
    for path in server.folder.rglob("*"):
        assert path.is_dir() or b"PRIVATE KEY" not in path.read_bytes(), path


# ---- a wrap that cannot be


def test_program_whose_wrap_is_broken_never_starts(stage: Stage) -> None:
    with stage.run("early") as marble:
        assert marble.code() == 1
    assert marble.output == "", "not even the first line"
    assert "the data plane did not start, so the program does not" in marble.errors
    assert "`socket` was imported before the data plane could start" in marble.errors
    assert "error [marble.wrap-missing]: The program was not started" in marble.errors
    assert "the program's TLS has shown itself" not in marble.errors


def test_python_that_would_not_load_the_wrap_is_not_started(stage: Stage) -> None:
    with stage.run("isolated") as marble:
        assert marble.code() == 1
    assert marble.output == ""
    assert "error [marble.program]: Python would start without the data plane" in marble.errors
    assert "found:  the option -I" in marble.errors
    assert not (marble.folder / "given").exists(), "nothing may have been written"


def test_key_of_a_wrapped_program_does_not_go_into_files(stage: Stage) -> None:
    with stage.run("greedy") as marble:
        assert marble.code() == 1
    assert marble.output == ""
    assert "error [marble.program]: The package wants certificate and key in files" in marble.errors
    assert not (marble.folder / "given").exists()


def test_what_only_has_the_name_of_python_does_not_count_as_a_success(stage: Stage) -> None:
    with stage.run("impostor") as marble:
        assert marble.code() == 1
    assert "error [marble.wrap-missing]" in marble.errors
    assert "never showed itself" in marble.errors
