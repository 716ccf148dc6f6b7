"""`docs/tasks/*service*.md`, word by word: every file saved, every command run, every output compared.

Only the port numbers are others, because tests run beside each other, and a value that the page shortens
(`cadf2d96…`) is the one that the command printed in its place.
"""

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

TASKS = Path(__file__).resolve().parents[2] / "docs" / "tasks"
PATIENCE_SECONDS = 60.0
_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
_SAVE = re.compile(r"[Ss]ave this\s+as\s+`([^`]+)`:\s*$")
_SHORTENED = re.compile(r"\b[0-9a-f]{8}…")


@dataclass
class Reader:
    """Somebody who does what the page says, in an empty folder."""

    folder: Path
    ports: dict[str, str]
    values: dict[str, str] = field(default_factory=dict)
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        home = self.folder / "home"
        return {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(home),
            "SEALMESH_CLIENT_ADDR": f"127.0.0.1:{self.ports['4433']}",
            "SEALMESH_MESH_ADDR": f"127.0.0.1:{self.ports['2001']}",
            "SEALMESH_COORDINATOR_ADDR": f"localhost:{self.ports['2001']}",
        }

    def here(self, text: str) -> str:
        for port, other in self.ports.items():
            text = text.replace(port, other)
        return text

    def save(self, name: str, content: str) -> None:
        content = _SHORTENED.sub(lambda match: self.values[match[0]], self.here(content))
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_text(content)

    def console(self, text: str) -> None:
        command, expected = "", []
        for line in (*text.splitlines(), "$ "):
            if line.startswith("$ "):
                if command:
                    self.run(command, expected)
                command, expected = self.here(line[2:]), []
            else:
                expected.append(self.here(line))

    def run(self, command: str, expected: list[str]) -> None:
        if command.endswith("# stays"):
            return self.leave_running(command, expected)
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        self.compare(command, done.stdout, expected)
        return None

    def leave_running(self, command: str, expected: list[str]) -> None:
        path = self.folder / f"terminal-{len(self.running)}"
        with path.open("wb") as output:
            process = subprocess.Popen(
                ["/bin/sh", "-c", command],
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.running.append(process)
        deadline = time.monotonic() + PATIENCE_SECONDS
        wanted = len(expected) or 1
        while len(path.read_text().splitlines()) < wanted:
            assert process.poll() is None, path.read_text()
            assert time.monotonic() < deadline, path.read_text()
            time.sleep(0.05)
        if expected:
            self.compare(command, path.read_text(), expected)

    def compare(self, command: str, output: str, expected: list[str]) -> None:
        """Match line by line; `…` stands for anything, and a line of it alone for any lines."""
        if expected == ["…"]:
            return
        lines = output.splitlines()
        assert len(lines) == len(expected), f"{command}\n{output}"
        for line, pattern in zip(lines, expected, strict=True):
            parts = [re.escape(part) for part in _SHORTENED.sub("…", pattern).split("…")]
            assert re.fullmatch(".*".join(parts), line), f"{command}\nfound:    {line}\nexpected: {pattern}"
            for shortened in _SHORTENED.findall(pattern):
                self.values[shortened] = line.split()[-1]

    def blocks(self, text: str) -> None:
        position = 0
        for block in _BLOCK.finditer(text):
            kind, content = block.groups()
            before = text[position : block.start()]
            position = block.end()
            if kind == "console":
                self.console(content)
            else:
                said = _SAVE.search(before.rstrip())
                assert said, f"the page does not say what to save this as:\n{content}"
                self.save(said[1], content)


def _free_port() -> int:
    """Return a port below those that the kernel gives away."""
    while True:
        port = random.randrange(15_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    ports = {port: str(_free_port()) for port in ("4433", "2001", "8443")}
    (tmp_path / "home").mkdir()
    made = Reader(tmp_path, ports)
    yield made
    for process in reversed(made.running):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_first_service_works_word_by_word(reader: Reader) -> None:
    reader.blocks((TASKS / "first-service.md").read_text())
    _, service = reader.running
    assert service.poll() is None
    said = (reader.folder / "terminal-1").read_text()
    assert "connection refused" in said
    assert "reason='TLS failed: HTTP_REQUEST'" in said


def test_two_services_work_word_by_word(reader: Reader) -> None:
    reader.blocks((TASKS / "two-services.md").read_text())
    _, shop = reader.running
    assert shop.poll() is None
    assert "one book" not in (reader.folder / "terminal-0").read_text()
