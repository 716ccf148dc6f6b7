"""What a wrapped program starts: wrapped too, or without a network. Never a way round the mesh."""

import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import dataplane_mesh as mesh
import pytest

from sealmesh.dataplane.configuration import Exposure, Options
from sealmesh.policy import UNRESTRICTED_MESH

#: What every child tries: to reach a Marble, which only the wrap can, and a plain listener, which none may.
CALL = """
import socket, sys
def call(store, plain):
    with socket.create_connection(("127.0.0.1", store), 10) as sock:
        sock.sendall(b"?"); print("mesh", sock.recv(99).decode(), flush=True)
    try: socket.create_connection(("127.0.0.1", plain), 5); print("OPEN", flush=True)
    except OSError as error: print("refused", error.errno, flush=True)
if __name__ == "__main__": call(int(sys.argv[1]), int(sys.argv[2]))
"""
#: Without the wrap a Python can do neither.
RAW = """
import socket, sys
try: socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5); print("OPEN")
except OSError as error: print("refused", error.errno)
"""

_START = "import multiprocessing, os, subprocess, sys; sys.path.insert(0, '.')\nfrom call import call\n"
WRAPPED = {
    "subprocess": "subprocess.run([sys.executable, 'call.py', *sys.argv[1:]], check=True)",
    "subprocess with a cleared environment": (
        "subprocess.run([sys.executable, 'call.py', *sys.argv[1:]], check=True, env={})"
    ),
    "subprocess with another PYTHONPATH": (
        "os.environ['PYTHONPATH'] = '/nowhere'; "
        "subprocess.run([sys.executable, 'call.py', *sys.argv[1:]], check=True)"
    ),
    "subprocess without closing descriptors": (
        "subprocess.run([sys.executable, 'call.py', *sys.argv[1:]], check=True, close_fds=False)"
    ),
    "a script by its first line": "subprocess.run(['./script', *sys.argv[1:]], check=True)",
    "fork": "pid = os.fork()\nif not pid: call(*map(int, sys.argv[1:])); os._exit(0)\nos.waitpid(pid, 0)",
    "exec": "os.execv(sys.executable, [sys.executable, 'call.py', *sys.argv[1:]])",
    "exec with an empty environment": "os.execve(sys.executable, ['python', 'call.py', *sys.argv[1:]], {})",
    "posix_spawn": (
        "pid = os.posix_spawn(sys.executable, ['python', 'call.py', *sys.argv[1:]], {}); os.waitpid(pid, 0)"
    ),
    **{
        f"multiprocessing by {method}": (
            f"if __name__ == '__main__':\n"
            f"  child = multiprocessing.get_context('{method}').Process(target=call, "
            f"args=tuple(map(int, sys.argv[1:])))\n  child.start(); child.join(); assert not child.exitcode"
        )
        for method in ("fork", "spawn", "forkserver")
    },
    "uvloop": (
        "import asyncio, uvloop\nasync def main():\n"
        "  child = await asyncio.create_subprocess_exec(sys.executable, 'call.py', *sys.argv[1:], env={})\n"
        "  assert not await child.wait()\nuvloop.run(main())"
    ),
}
CONFINED = {
    "Python in isolated mode": "subprocess.run([sys.executable, '-I', 'raw.py', sys.argv[2]])",
    "a shell's Python": "os.system(f'{sys.executable} -I raw.py {sys.argv[2]}')",
    "subprocess with a shell": "subprocess.run(f'{sys.executable} -I raw.py {sys.argv[2]}', shell=True)",
    "fork and exec": (
        "pid = os.fork()\n"
        "if not pid: os.execv(sys.executable, [sys.executable, '-I', 'raw.py', sys.argv[2]])\n"
        "os.waitpid(pid, 0)"
    ),
    "exec": "os.execl(sys.executable, sys.executable, '-I', 'raw.py', sys.argv[2])",
    "spawn": "os.spawnl(os.P_WAIT, sys.executable, 'python', '-I', 'raw.py', sys.argv[2])",
    "subprocess without closing descriptors": (
        "subprocess.run([sys.executable, '-I', 'raw.py', sys.argv[2]], close_fds=False)"
    ),
    "asyncio": (
        "import asyncio\nasync def main():\n"
        "  child = await asyncio.create_subprocess_exec(sys.executable, '-I', 'raw.py', sys.argv[2])\n"
        "  await child.wait()\nasyncio.run(main())"
    ),
    "uvloop": (
        "import asyncio, uvloop\nasync def main():\n"
        "  child = await asyncio.create_subprocess_exec(sys.executable, '-I', 'raw.py', sys.argv[2])\n"
        "  await child.wait()\nuvloop.run(main())"
    ),
    "a shell of uvloop": (
        "import asyncio, uvloop\nasync def main():\n"
        "  child = await asyncio.create_subprocess_shell(f'{sys.executable} -I raw.py {sys.argv[2]}')\n"
        "  await child.wait()\nuvloop.run(main())"
    ),
}


@pytest.fixture
def store(tmp_path: Path):
    """A Marble outside the wrap that answers a word, and a listener that would take plaintext."""
    world = mesh.MiniMesh()
    context = world.context(tmp_path, "store", server=True)

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            with caller:
                try:
                    with context.wrap_socket(caller, server_side=True) as wrapped:
                        wrapped.recv(9)
                        wrapped.sendall(b"word")
                        wrapped.unwrap()
                except OSError:
                    continue

    (tmp_path / "call.py").write_text(CALL)
    (tmp_path / "raw.py").write_text(RAW)
    (tmp_path / "script").write_text(f"#!{sys.executable}\n{CALL}")
    (tmp_path / "script").chmod(0o755)
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_server(("127.0.0.1", 0)) as plain,
    ):
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield world, listener.getsockname()[1], plain.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def run(tmp_path: Path, store, source: str, options: Options | None = None):
    world, port, plain = store
    configuration = world.configuration(
        "buyer", UNRESTRICTED_MESH, outgoing=(("127.0.0.1", port),), options=options
    )
    with (
        mesh.FakeAgent(tmp_path / "agent", configuration) as agent,
        mesh.Program(tmp_path, agent, _START + source, port, plain) as program,
    ):
        return program.output(), agent.heard


@pytest.mark.parametrize("way", WRAPPED)
def test_python_child_is_in_the_mesh_and_nowhere_else(way: str, tmp_path: Path, store) -> None:
    out, _ = run(tmp_path, store, WRAPPED[way])
    assert out == "mesh word\nrefused 13\n"


@pytest.mark.parametrize("way", CONFINED)
def test_child_that_cannot_be_wrapped_has_no_network(way: str, tmp_path: Path, store) -> None:
    out, heard = run(tmp_path, store, CONFINED[way])
    assert out == "refused 13\n"
    assert [message["type"] for message in heard].count("confined") == 1


def test_confined_child_still_works(tmp_path: Path, store) -> None:
    out, _ = run(tmp_path, store, "print(subprocess.check_output('echo a | tr a b', shell=True, text=True))")
    assert out == "b\n\n"


def test_python_below_a_confined_shell_does_not_start(tmp_path: Path, store) -> None:
    source = """
done = subprocess.run(f"{sys.executable} call.py 1 2", shell=True, capture_output=True, text=True)
print(done.returncode, done.stdout, "did not start, so the program does not" in done.stderr)
"""
    out, _ = run(tmp_path, store, source)
    assert out == "97  True\n"


def test_exit_codes_of_confined_children_come_back(tmp_path: Path, store) -> None:
    source = """
print(os.waitstatus_to_exitcode(os.system("exit 3")), os.waitstatus_to_exitcode(os.system("kill -9 $$")))
print(subprocess.run(["/bin/sh", "-c", "exit 4"]).returncode)
try: subprocess.run(["/does/not/exist"])
except FileNotFoundError as error: print("missing", error.filename)
"""
    out, _ = run(tmp_path, store, source)
    assert out == "3 -9\n4\nmissing /does/not/exist\n"


def test_posix_spawn_of_what_cannot_be_wrapped_is_refused(tmp_path: Path, store) -> None:
    source = "try: os.posix_spawn('/bin/true', ['true'], {})\nexcept PermissionError as e: print(e)"
    out, _ = run(tmp_path, store, source)
    assert "start /bin/true with `subprocess`" in out


@pytest.mark.parametrize("how", ["pass_fds=[listener.fileno()]", "stdin=listener", "close_fds=False"])
def test_confined_child_gets_no_internet_socket_of_ours(how: str, tmp_path: Path, store) -> None:
    world, _, _ = store
    port = mesh.free_port()
    source = f"""
import os, socket, subprocess, sys
listener = socket.create_server(("127.0.0.1", {port})); os.set_inheritable(listener.fileno(), True)
try: print("STARTED", subprocess.run(["/bin/true"], {how}))
except PermissionError as error: print(error)
"""
    with (
        mesh.FakeAgent(
            tmp_path / "agent", world.configuration("store", UNRESTRICTED_MESH, incoming=(port,))
        ) as agent,
        mesh.Program(tmp_path, agent, source) as program,
    ):
        out = program.output()
    assert "must not get the Internet socket" in out
    assert "STARTED" not in out


def test_child_is_free_only_where_the_package_lets_everything_pass(tmp_path: Path, store) -> None:
    source = CONFINED["Python in isolated mode"]
    half = Options(egress=Exposure.PASS)
    assert run(tmp_path, store, source, half)[0] == "refused 13\n"
    shutil.rmtree(tmp_path / "agent")
    whole = Options(egress=Exposure.PASS, ingress=Exposure.PASS)
    assert run(tmp_path, store, source, whole)[0] == "OPEN\n"


def test_confinement_leaves_nothing_but_what_stays_on_the_machine(tmp_path: Path) -> None:
    """The filter alone, in a process of its own."""
    source = """
import socket
from sealmesh.dataplane.confinement import Confinement
Confinement().apply()
for family in set(range(64)) - {socket.AF_UNIX, socket.AF_NETLINK, socket.AF_ALG}:
    for kind, protocol in ((socket.SOCK_STREAM, 0), (socket.SOCK_STREAM, 262), (socket.SOCK_DGRAM, 0)):
        try: socket.socket(family, kind, protocol); print("OPEN", family)
        except PermissionError: pass
        except OSError as error: print(family, error)
socket.socket(socket.AF_UNIX).close(); socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()
import ctypes
print(ctypes.CDLL(None, use_errno=True).syscall(425, 1, 0), ctypes.get_errno())
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert done.stdout == "-1 13\n", done.stderr
