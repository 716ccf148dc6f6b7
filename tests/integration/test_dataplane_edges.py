"""The wrap where things go wrong: no rule, wrong peers, cuts, rotation, revocation, limits, failed starts."""

import contextlib
import socket
import ssl
import subprocess
import sys
import threading
import venv
from dataclasses import replace
from pathlib import Path

import dataplane_mesh as mesh
import dataplane_programs as programs
import pytest

from sealmesh.dataplane.configuration import Exposure, IncomingRule, Options
from sealmesh.policy import ANYONE, UNRESTRICTED_MESH, AccessPolicy, PortSet, Rule

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
ECHO = """
import socketserver, sys
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while piece := self.request.recv(65536): self.request.sendall(piece)
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024
Server(("127.0.0.1", int(sys.argv[1])), Echo).serve_forever()
"""


@contextlib.contextmanager
def tls_listener(context: ssl.SSLContext | None, say: bytes = b"", *, end_tls: bool = True):
    """Run a server outside the wrap that accepts callers and says something; yield its port."""

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve_one, args=(caller,), daemon=True).start()

    def serve_one(caller: socket.socket) -> None:
        with caller, contextlib.suppress(OSError):
            if context is None:
                caller.sendall(say)
                caller.recv(1)
                return
            with context.wrap_socket(caller, server_side=True) as wrapped:
                wrapped.sendall(say)
                if end_tls:
                    wrapped.unwrap()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def run(tmp_path: Path, source: str, *arguments: object, configuration=None, **rules) -> str:
    """Run `source` as Marble `buyer` and return its output."""
    world = mesh.MiniMesh()
    configuration = configuration or world.configuration("buyer", UNRESTRICTED_MESH, **rules)
    with (
        mesh.FakeAgent(tmp_path / "agent", configuration) as agent,
        mesh.Program(tmp_path, agent, source, *arguments) as program,
    ):
        return str(program.output())


def test_connection_without_a_rule_is_refused_and_the_missing_rule_is_named(tmp_path: Path) -> None:
    with tls_listener(None, b"plain") as port:
        out = run(
            tmp_path,
            """
import socket, sys
for attempt in (lambda: socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5),
                lambda: socket.socket().connect_ex(("localhost", int(sys.argv[1])))):
    try: print("OPEN", attempt())
    except PermissionError as error: print("refused", error.errno, error)
""",
            port,
        )
    assert out.count("refused 13") == 2
    assert f'{{"Addr": "127.0.0.1", "Port": "{port}"}}' in out
    assert "OPEN" not in out


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_server(('127.0.0.1', 0))",
        "socket.socket().listen()",
        "socket.socket(type=socket.SOCK_DGRAM).bind(('127.0.0.1', 0))",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
        "socket.socket(type=socket.SOCK_DGRAM).connect(('127.0.0.1', 9))",
        "socket.socket(type=socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('127.0.0.1', 9))",
        "socket.socket().sendto(b'x', socket.MSG_FASTOPEN, ('127.0.0.1', int(sys.argv[1])))",
        "socket.socket(proto=262)",
        "socket.socket(type=socket.SOCK_RAW, proto=1)",
        "socket.socket(socket.AF_VSOCK)",
        "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    ],
)
def test_way_round_the_rules_is_refused(attempt: str, tmp_path: Path) -> None:
    out = run(
        tmp_path,
        f"import socket, sys\ntry: print('OPEN', {attempt})\nexcept OSError as e: print('refused', e)",
        4711,
        outgoing=(("127.0.0.1", 4711),),
    )
    assert out.startswith("refused [Errno 13] sealmesh")


def test_what_stays_on_the_machine_without_the_internet_is_untouched(tmp_path: Path) -> None:
    out = run(
        tmp_path,
        """
import os, socket, multiprocessing
a, b = socket.socketpair(); a.sendall(b"pair"); assert b.recv(9) == b"pair"
listener = socket.socket(socket.AF_UNIX); listener.bind("here"); listener.listen()
c = socket.socket(socket.AF_UNIX); c.connect("here"); d, _ = listener.accept()
c.sendall(b"unix"); assert d.recv(9) == b"unix"
print("ok")
""",
    )
    assert out == "ok\n"


def test_loopback_passes_only_where_the_package_says_so(tmp_path: Path) -> None:
    source = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5) as sock: print(sock.recv(9))
with socket.create_server(("127.0.0.1", 0)) as listener:
    with socket.create_connection(listener.getsockname()) as near:
        far, _ = listener.accept(); far.sendall(b"inside"); print(near.recv(9)); far.close()
try: socket.create_server(("0.0.0.0", 0))
except PermissionError: print("not to the outside")
"""
    open_inside = Options(egress=Exposure.LOOPBACK, ingress=Exposure.LOOPBACK)
    with tls_listener(None, b"plain") as port:
        out = run(tmp_path, source, port, options=open_inside)
    assert out == "b'plain'\nb'inside'\nnot to the outside\n"


def test_options_of_the_host_environment_change_nothing(tmp_path: Path) -> None:
    world = mesh.MiniMesh()
    with (
        mesh.FakeAgent(tmp_path / "agent", world.configuration("buyer", UNRESTRICTED_MESH)) as agent,
        mesh.Program(
            tmp_path,
            agent,
            "import socket\ntry: socket.create_server(('', 0))\nexcept PermissionError: print('refused')",
            SEALMESH_EGRESS="pass",
            SEALMESH_INGRESS="pass",
            TTLS_NATIVE="1",
        ) as program,
    ):
        assert program.output() == "refused\n"


DIAL = """
import errno, selectors, socket, sys
address = ("127.0.0.1", int(sys.argv[1]))
try:
    sock = socket.create_connection(address, 10)
    sock.sendall(b"CANARY-secret-0123456789")
    print("blocking OPEN", sock.recv(99))
except OSError as error: print("blocking", type(error).__name__, error)
sock = socket.socket(); sock.setblocking(False)
code = sock.connect_ex(address)
ready = selectors.DefaultSelector(); ready.register(sock, selectors.EVENT_WRITE)
ready.select(10)
error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
print("non-blocking", errno.errorcode[code], errno.errorcode.get(error, error))
"""


def test_dead_address_looks_dead(tmp_path: Path) -> None:
    port = mesh.free_port()
    out = run(tmp_path, DIAL, port, outgoing=(("127.0.0.1", port),))
    assert out.splitlines() == [
        "blocking ConnectionRefusedError [Errno 111] Connection refused",
        "non-blocking EINPROGRESS ECONNREFUSED",
    ]


def test_server_of_a_type_that_may_not_be_called_is_refused(tmp_path: Path) -> None:
    world = mesh.MiniMesh()
    policy = AccessPolicy((Rule(from_=frozenset({"buyer"}), to="store", ports=PortSet.of(1)),))
    with tls_listener(world.context(tmp_path, "thief", server=True), mesh.CANARY) as port:
        configuration = world.configuration("buyer", policy, outgoing=(("127.0.0.1", port),))
        out = run(tmp_path, DIAL, port, configuration=configuration)
    assert "blocking PermissionError" in out
    assert "'buyer' may not call 'thief'" in out
    assert "non-blocking EINPROGRESS EACCES" in out


def test_server_of_another_mesh_is_refused(tmp_path: Path) -> None:
    world, alien = mesh.MiniMesh(), mesh.MiniMesh()
    context = alien.context(tmp_path, "store", server=True, root_pem=world.root_pem)
    with tls_listener(context, mesh.CANARY) as port:
        configuration = world.configuration("buyer", UNRESTRICTED_MESH, outgoing=(("127.0.0.1", port),))
        out = run(tmp_path, DIAL, port, configuration=configuration)
    assert "blocking ConnectionAbortedError" in out
    assert "CERTIFICATE_VERIFY_FAILED" in out
    assert "non-blocking EINPROGRESS ECONNABORTED" in out


def test_server_that_speaks_plaintext_gets_nothing(tmp_path: Path) -> None:
    with tls_listener(None, b"220 hello\r\n") as port:
        out = run(tmp_path, DIAL, port, outgoing=(("127.0.0.1", port),))
    assert "blocking Connection" in out  # aborted by us, or reset by it
    assert "OPEN" not in out


def test_rule_by_name_covers_the_addresses_of_the_name(tmp_path: Path) -> None:
    world = mesh.MiniMesh()
    with tls_listener(world.context(tmp_path, "store", server=True), mesh.CANARY) as port:
        configuration = world.configuration("buyer", UNRESTRICTED_MESH, outgoing=(("localhost", port),))
        out = run(tmp_path, DIAL, port, configuration=configuration)
    assert "blocking OPEN" in out


def test_cut_connection_is_an_error_and_not_an_end(tmp_path: Path) -> None:
    world = mesh.MiniMesh()
    source = """
import socket, sys
sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10)
got = b""
try:
    while piece := sock.recv(99): got += piece
    print("END", got)
except ConnectionResetError as error: print("reset after", got, error)
"""
    context = world.context(tmp_path, "store", server=True)
    for end_tls, expected in ((False, "reset after b'partial'"), (True, "END b'partial'")):
        with tls_listener(context, b"partial", end_tls=end_tls) as port:
            configuration = world.configuration("buyer", UNRESTRICTED_MESH, outgoing=(("127.0.0.1", port),))
            assert run(tmp_path / str(end_tls), source, port, configuration=configuration).startswith(
                expected
            )


@pytest.fixture(autouse=True)
def _directories(tmp_path: Path) -> None:
    for name in ("True", "False"):
        (tmp_path / name).mkdir()


@contextlib.contextmanager
def echo_server(tmp_path: Path, world, policy=UNRESTRICTED_MESH, source: str = ECHO):
    """Run an echo server as Marble `store`; yield its port, agent and program."""
    port = mesh.free_port()
    with (
        mesh.FakeAgent(
            tmp_path / "store-agent", world.configuration("store", policy, incoming=(port,))
        ) as agent,
        mesh.Program(tmp_path, agent, source, port) as program,
    ):
        mesh.wait_for_port(port, program)
        yield port, agent, program


def test_half_close_large_bodies_and_exit_right_after_writing(tmp_path: Path) -> None:
    source = """
import hashlib, os, socket, sys, threading
address = ("127.0.0.1", int(sys.argv[1]))
sock = socket.create_connection(address, 30); sock.sendall(b"hello"); sock.shutdown(socket.SHUT_WR)
assert b"".join(iter(lambda: sock.recv(99), b"")) == b"hello"
body = os.urandom(8 << 20); sock = socket.create_connection(address, 30)
threading.Thread(target=lambda: (sock.sendall(body), sock.shutdown(socket.SHUT_WR))).start()
digest = hashlib.sha256()
while piece := sock.recv(1 << 20): digest.update(piece)
assert digest.digest() == hashlib.sha256(body).digest()
print("ok")
"""
    world = mesh.MiniMesh()
    with echo_server(tmp_path, world) as (port, _, _):
        configuration = world.configuration("buyer", UNRESTRICTED_MESH, outgoing=(("127.0.0.1", port),))
        assert run(tmp_path, source, port, configuration=configuration) == "ok\n"


@pytest.mark.parametrize("ending", ["sys.exit()", "os._exit(0)"])
def test_what_was_written_before_the_end_of_the_process_arrives(ending: str, tmp_path: Path) -> None:
    world = mesh.MiniMesh()
    arrived: list[bytes] = []
    done = threading.Event()
    context = world.context(tmp_path, "store", server=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            caller, _ = listener.accept()
            with context.wrap_socket(caller, server_side=True) as wrapped:
                while piece := wrapped.recv(65536):
                    arrived.append(piece)
            done.set()

        threading.Thread(target=serve, daemon=True).start()
        port = listener.getsockname()[1]
        source = f"""
import os, socket, sys
sock = socket.create_connection(("127.0.0.1", {port}), 10)
sock.sendall(b"x" * 1000000); {ending}
"""
        configuration = world.configuration("buyer", UNRESTRICTED_MESH, outgoing=(("127.0.0.1", port),))
        run(tmp_path, source, configuration=configuration)
        assert done.wait(10)
    assert sum(map(len, arrived)) == 1000000


def serial(connection: ssl.SSLSocket) -> object:
    return (connection.getpeercert() or {}).get("serialNumber")


def echoes(connection: ssl.SSLSocket) -> bool:
    connection.sendall(b"ping")
    return connection.recv(9) == b"ping"


@pytest.mark.parametrize("name", ["socketserver", "uvloop streams"])
def test_renewed_credentials_count_for_new_connections_and_open_ones_stay(name: str, tmp_path: Path) -> None:
    world = mesh.MiniMesh()
    http = name != "socketserver"
    source = programs.SERVERS[name] if http else ECHO

    def alive(connection: ssl.SSLSocket) -> bool:
        if not http:
            return echoes(connection)
        connection.sendall(REQUEST)
        got = b""
        while mesh.CANARY not in got:
            got += (piece := connection.recv(999))
            assert piece
        return True

    context = world.context(tmp_path, "buyer")
    with (
        echo_server(tmp_path, world, source=source) as (port, agent, _),
        mesh.tls_connection(context, port) as old,
    ):
        assert alive(old)
        agent.push(world.renewed(agent.configuration))

        def renewed() -> bool:
            with mesh.tls_connection(context, port) as new:
                return alive(new) and serial(new) != serial(old)

        mesh.wait_until(renewed, "the new certificate is shown")
        assert alive(old)


def test_changed_rules_count_for_the_next_connection(tmp_path: Path) -> None:
    world = mesh.MiniMesh()
    context = world.context(tmp_path, "buyer")

    def admitted() -> bool:
        try:
            with mesh.tls_connection(context, port) as connection:
                return echoes(connection)
        except (ssl.SSLError, ConnectionError):
            return False

    with echo_server(tmp_path, world) as (port, agent, _):
        assert admitted()
        nobody = AccessPolicy(())
        agent.push(replace(agent.configuration, policy=nobody, generation=1))
        mesh.wait_until(lambda: not admitted(), "the new policy to count")
        mesh.wait_until(
            lambda: any("no rule allows anybody" in reason for reason in agent.refusals()), "the report"
        )


def test_revoked_peer_loses_its_open_connection_and_others_keep_theirs(tmp_path: Path) -> None:
    world = mesh.MiniMesh()
    revoked = world.spiffe_id("buyer", "11111111-1111-4111-8111-111111111111")
    with (
        echo_server(tmp_path, world) as (port, agent, _),
        mesh.tls_connection(world.context(tmp_path, "buyer", uri=revoked), port) as bad,
        mesh.tls_connection(world.context(tmp_path, "buyer"), port) as good,
    ):
        assert echoes(bad)
        assert echoes(good)
        agent.cut(revoked)
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            assert bad.recv(9) == b""
        assert echoes(good)


def test_program_without_its_agent_opens_nothing_new(tmp_path: Path) -> None:
    world = mesh.MiniMesh()
    with echo_server(tmp_path, world) as (port, agent, program):
        context = world.context(tmp_path, "buyer")
        with mesh.tls_connection(context, port) as old:
            assert echoes(old)
            agent.__exit__()
            assert echoes(old)
            try:
                with mesh.tls_connection(context, port) as new:
                    answered = echoes(new)
            except (ssl.SSLError, ConnectionError):
                answered = False
            assert not answered
        assert program.process.poll() is None or "agent" in program.errors


def test_descriptors_and_registry_stay_flat_over_many_connections(tmp_path: Path) -> None:
    source = """
import gc, os, socket, sys
def once():
    with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10) as sock:
        sock.sendall(b"ping"); assert sock.recv(9) == b"ping"
for _ in range(20): once()
before = len(os.listdir("/proc/self/fd"))
for _ in range(200): once()
gc.collect()
(engine,) = [
    kept for kept in gc.get_objects()
    if type(kept).__module__ == "sealmesh.dataplane.engine" and hasattr(kept, "_registry")
]
import time
for _ in range(500):
    if len(os.listdir("/proc/self/fd")) <= before + 3: break
    time.sleep(0.01)
print("descriptors", len(os.listdir("/proc/self/fd")) - before, "links", len(engine._registry))
"""
    world = mesh.MiniMesh()
    with echo_server(tmp_path, world) as (port, _, program):
        before = len(list(Path(f"/proc/{program.process.pid}/fd").iterdir()))
        configuration = world.configuration("buyer", UNRESTRICTED_MESH, outgoing=(("127.0.0.1", port),))
        words = run(tmp_path, source, port, configuration=configuration).split()
        assert int(words[1]) <= 3
        assert int(words[3]) <= 3

        def flat() -> bool:
            return len(list(Path(f"/proc/{program.process.pid}/fd").iterdir())) <= before + 12

        mesh.wait_until(flat, "the server to let go of its descriptors")


def test_flood_of_silent_callers_does_not_keep_honest_ones_out(tmp_path: Path) -> None:
    world = mesh.MiniMesh()
    context = world.context(tmp_path, "buyer")
    with echo_server(tmp_path, world) as (port, agent, _), contextlib.ExitStack() as silent:
        for _ in range(700):
            silent.enter_context(socket.create_connection(("127.0.0.1", port)))
        with mesh.tls_connection(context, port) as connection:
            assert echoes(connection)
        mesh.wait_until(
            lambda: any("too many handshakes" in reason for reason in agent.refusals()),
            "the oldest to be dropped",
        )


@pytest.mark.parametrize("policy", ["no Access", "Access with @anyone", "Access without"])
def test_port_for_outsiders_shows_its_own_certificate(policy: str, tmp_path: Path) -> None:
    world, public = mesh.MiniMesh(), mesh.MiniMesh()
    port = mesh.free_port()
    certificate, key, _ = public.issue(None, names=("shop.example",))
    rule = IncomingRule(port=port, client_auth=False, certificate=certificate, key=key)
    rules = {
        "no Access": UNRESTRICTED_MESH,
        "Access with @anyone": AccessPolicy(
            (Rule(from_=frozenset({ANYONE}), to="store", ports=PortSet.of(port)),)
        ),
        "Access without": AccessPolicy(
            (Rule(from_=frozenset({"buyer"}), to="store", ports=PortSet.of(port)),)
        ),
    }
    configuration = world.configuration("store", rules[policy], incoming=(rule,))
    customer = public.context(tmp_path, None, show_certificate=False)
    with (
        mesh.FakeAgent(tmp_path / "agent", configuration) as agent,
        mesh.Program(tmp_path, agent, ECHO, port) as program,
    ):
        mesh.wait_for_port(port, program)
        with mesh.tls_connection(customer, port) as connection:
            names = (connection.getpeercert() or {}).get("subjectAltName", ())
            assert ("DNS", "shop.example") in names
            if policy == "Access without":
                with contextlib.suppress(ConnectionError, ssl.SSLError):
                    connection.sendall(b"ping")
                    assert connection.recv(9) == b""
            else:
                assert echoes(connection)


def start(tmp_path: Path, *, flags: tuple[str, ...] = (), python: str = sys.executable, **env: str):
    script = tmp_path / "first_line.py"
    script.write_text("print('the program has started')\n")
    return subprocess.run(
        [python, *flags, str(script)],
        env=mesh.environment(None, PYTHONPATH=str(mesh.INJECT), **env),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("case", ["no agent named", "agent absent", "agent gives garbage", "wrong key"])
def test_program_does_not_start_where_the_wrap_cannot(case: str, tmp_path: Path) -> None:
    world = mesh.MiniMesh()
    configuration = world.configuration("buyer", UNRESTRICTED_MESH)
    with contextlib.ExitStack() as stack:
        match case:
            case "no agent named":
                env = {}
            case "agent absent":
                env = {"SEALMESH_AGENT": str(tmp_path / "absent")}
            case _:
                bad = (
                    replace(configuration, trust_domain="mesh-other")
                    if case == "agent gives garbage"
                    else replace(configuration, key=world.issue("buyer")[1])
                )
                agent = stack.enter_context(mesh.FakeAgent(tmp_path / "agent", bad))
                env = {"SEALMESH_AGENT": agent.path}
        result = start(tmp_path, **env)
    assert result.returncode == 97
    assert result.stdout == ""
    assert "the data plane did not start, so the program does not" in result.stderr
    assert "PRIVATE KEY" not in result.stderr


def test_interpreter_in_which_socket_was_imported_before_is_refused(tmp_path: Path) -> None:
    world = mesh.MiniMesh()
    home = tmp_path / "venv"
    venv.create(home, with_pip=False, symlinks=True)
    site = next(home.glob("lib/python*/site-packages"))
    (site / "early.pth").write_text("import socket\n")
    with mesh.FakeAgent(tmp_path / "agent", world.configuration("buyer", UNRESTRICTED_MESH)) as agent:
        result = start(tmp_path, python=str(home / "bin" / "python"), SEALMESH_AGENT=agent.path)
    assert result.returncode == 97
    assert result.stdout == ""
    assert "`socket` was imported before" in result.stderr


def test_foreign_environment_without_sealmesh_and_with_its_own_sitecustomize(tmp_path: Path) -> None:
    world = mesh.MiniMesh()
    home = tmp_path / "venv"
    venv.create(home, with_pip=False, symlinks=True)
    site = next(home.glob("lib/python*/site-packages"))
    (site / "sitecustomize.py").write_text("")
    own = [str(home / "bin" / "python"), "-c", "import sitecustomize; print(sitecustomize.__file__)"]
    # A distribution's own comes before it.
    expected = subprocess.run(own, capture_output=True, text=True, check=True).stdout.strip()
    source = (
        f"EXPECTED = {expected!r}"
        + """
import sys, socket
assert sys.modules["sitecustomize"].__file__ == EXPECTED, sys.modules["sitecustomize"]
assert not any("dataplane" in entry for entry in sys.path), sys.path
try: import sealmesh
except ImportError: print("no sealmesh here")
try: socket.create_server(("127.0.0.1", 0))
except PermissionError: print("but its wrap")
"""
    )
    with (
        mesh.FakeAgent(tmp_path / "agent", world.configuration("buyer", UNRESTRICTED_MESH)) as agent,
        mesh.Program(tmp_path, agent, source, python=str(home / "bin" / "python")) as program,
    ):
        assert program.output() == "no sealmesh here\nbut its wrap\n"


def test_private_key_is_in_no_file(tmp_path: Path) -> None:
    world = mesh.MiniMesh()
    with echo_server(tmp_path, world) as (port, agent, program):
        with mesh.tls_connection(world.context(tmp_path, "buyer"), port) as connection:
            assert echoes(connection)
        needle = agent.configuration.key.splitlines()[1].encode()
        for directory in (tmp_path, tmp_path / "store-agent", Path("/dev/shm")):
            for path in directory.iterdir():
                if path.is_file():
                    assert needle not in path.read_bytes()
        names = []
        for link in Path(f"/proc/{program.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                names.append(str(link.readlink()))
        assert names
        assert not any("memfd" in name for name in names)
