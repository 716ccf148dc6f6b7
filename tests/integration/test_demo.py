"""The demo as a user runs it, and the pieces it stands on."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from rich.console import Console

from sealmesh.demo.narrator import Narrator
from sealmesh.demo.programs import Programs, free_port, listening
from sealmesh.demo.tap import Tap, only_tls
from sealmesh.errors.cli import DemoFailed

DEMO = [sys.executable, "-m", "sealmesh.cli", "demo", "bookstore"]
ACTS = [
    "without the mesh: the thief steals, the wire is read",
    "the operator verifies the Coordinator and sets the manifest",
    "the services join, the buyer buys, the tap sees only TLS",
    "the thief is refused, each time for another reason",
    "killed and up again: the Coordinator with its state, a service elsewhere with its data",
    "the customer verifies one statement and buys a book over the pinned connection",
]
REFUSALS = {
    "a valid Marble that no Access rule lets in is refused",
    "a program with one changed byte does not start as that package",
    "signed again by the thief, the Coordinator refuses its measurement",
    "a caller with no certificate is refused",
    "a bookbuyer with a certificate of another mesh is refused",
}


def environment(home: Path) -> dict[str, str]:
    """A fresh home, a dumb terminal, nothing of the user's."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "dumb", "TMPDIR": str(home)}


@pytest.mark.xdist_group("demo")
@pytest.mark.parametrize(
    "options",
    [pytest.param((), id="one TEE"), pytest.param(("--mixed",), id="five TEEs", marks=pytest.mark.slow)],
)
def test_every_act_of_the_bookstore_holds_in_a_fresh_home(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = subprocess.run(
        [*DEMO, "--json", *options], env=environment(tmp_path), capture_output=True, text=True, timeout=110
    )
    assert done.returncode == 0, done.stderr[-4000:]
    report = json.loads(done.stdout)
    assert report["passed"] is True
    assert [act["name"] for act in report["acts"]] == ACTS
    checks = [check for act in report["acts"] for check in act["checks"]]
    assert all(check["held"] for check in checks)
    assert {check["claim"] for check in checks} >= REFUSALS
    assert list(tmp_path.iterdir()) == [], "the demo left files behind"


@pytest.mark.xdist_group("demo")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_no_process_and_no_file(tmp_path: Path, number: signal.Signals) -> None:
    demo = subprocess.Popen(DEMO, env=environment(tmp_path), stdout=subprocess.PIPE, text=True)
    assert demo.stdout is not None
    for line in demo.stdout:
        if "the thief steals" in line and line.strip().startswith("ok"):
            break
    demo.send_signal(number)
    demo.stdout.read()
    demo.stdout.close()
    assert demo.wait(30) == 130
    assert list(tmp_path.iterdir()) == []
    assert programs_with(str(tmp_path)) == []


def programs_with(text: str) -> list[str]:
    """Command lines of running processes that mention `text`."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return [line for line in lines if text in line]


def test_the_tap_hears_both_sides() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, Tap(server.getsockname()[1]) as tap:

        def echo() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(connection.recv(100)[::-1])

        threading.Thread(target=echo, daemon=True).start()
        with socket.create_connection(("127.0.0.1", tap.port), 5) as caller:
            caller.sendall(b"abc")
            assert caller.recv(100) == b"cba"
        assert sorted(tap.streams()) == [b"abc", b"cba"]


def test_the_tap_hangs_up_when_nobody_is_behind_it() -> None:
    with Tap(free_port()) as tap, socket.create_connection(("127.0.0.1", tap.port), 5) as caller:
        assert caller.recv(1) == b""


@pytest.mark.parametrize(
    ("stream", "held"),
    [
        (b"\x16\x03\x01\x00\x02ab\x17\x03\x03\x00\x01c", True),
        (b"\x16\x03\x01\x00\x02ab\x17\x03\x03\x00\x09cut", True),
        (b"\x16\x03\x01\x00\x02abPOST /", False),
        (b"POST /buy-a-book HTTP/1.1\r\n", False),
        (b"", False),
    ],
)
def test_plaintext_anywhere_in_a_stream_is_not_only_tls(stream: bytes, held: bool) -> None:
    assert only_tls(stream) is held


def test_every_program_is_ended_with_all_it_started(tmp_path: Path) -> None:
    child = "import time; time.sleep(99)"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{child}', sys.argv[1]])"
    mark = f"mark-{tmp_path.name}-{os.getpid()}"
    with Programs({"PATH": os.environ["PATH"]}) as programs:
        programs.start("parent", [sys.executable, "-c", script, mark], folder=tmp_path)
        deadline = time.monotonic() + 20
        while len(programs_with(mark)) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    while programs_with(mark):  # killed, but the kernel may need a moment
        assert time.monotonic() < deadline, programs_with(mark)
        time.sleep(0.01)


def test_a_program_that_ends_early_is_told_with_its_last_words(tmp_path: Path) -> None:
    with Programs({"PATH": os.environ["PATH"]}) as programs:
        program = programs.start("short", [sys.executable, "-c", "print('alas')"], folder=tmp_path)
        with pytest.raises(DemoFailed, match="alas"):
            program.wait_for("victory")


def test_a_claim_that_does_not_hold_ends_the_act() -> None:
    narrator = Narrator(Console(quiet=True))
    with pytest.raises(DemoFailed, match="the moon is cheese"), narrator.act(0, "lies"):
        narrator.check("the moon is cheese", False)
    assert (narrator.acts[0].passed, narrator.acts[0].checks[0].held) == (False, False)


def test_a_free_port_has_no_listener() -> None:
    assert not listening(free_port())
