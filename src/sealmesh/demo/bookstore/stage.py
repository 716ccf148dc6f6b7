"""The stage: ports, folders, commands, the wire tap, and what one act leaves for the next."""

import os
import secrets
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from sealmesh.demo.bookstore.mesh import SEALMESH, Mesh
from sealmesh.demo.narrator import Narrator
from sealmesh.demo.programs import Program, Programs, free_port
from sealmesh.demo.tap import Tap
from sealmesh.errors.cli import DemoFailed

PROGRAMS = Path(__file__).with_name("programs")
COMMAND_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Ports:
    """Where everybody listens, on 127.0.0.1; made from ports that are free now."""

    store: int = field(default_factory=free_port)
    counter: int = field(default_factory=free_port)
    warehouse: int = field(default_factory=free_port)
    buyer_page: int = field(default_factory=free_port)
    thief_page: int = field(default_factory=free_port)


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that ended."""

    code: int
    out: str
    err: str


@dataclass(slots=True, kw_only=True)
class Stage:
    """What all acts share. An act sets what the ones after it need."""

    folder: Path
    programs: Programs
    narrator: Narrator
    environment: dict[str, str]
    ports: Ports = field(default_factory=Ports)
    mixed: bool = False
    card: str = field(default_factory=lambda: f"CANARY-{secrets.token_hex(8)}")
    wire: Tap | None = None
    mesh: Mesh | None = None
    services: dict[str, Program] = field(default_factory=dict)

    @property
    def platform(self) -> Path:
        """The simulated SGX platform of this performance."""
        return self.folder / "platform"

    def plain(self, program: str) -> list[str]:
        """Return the command that runs one of the four programs as it is, outside the mesh."""
        return [sys.executable, str(PROGRAMS / f"{program}.py")]

    def sealmesh(self, *arguments: str | Path, folder: Path | None = None) -> Finished:
        """Run a command to its end, showing it as it would be typed."""
        words = [str(word) for word in arguments]
        self.narrator.say(f"$ sealmesh {' '.join(word.replace(f'{self.folder}/', '') for word in words)}")
        try:
            done = subprocess.run(
                [*SEALMESH, *words],
                cwd=folder or self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=COMMAND_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise DemoFailed(
                f"`sealmesh {words[0]}` does not end", wanted=f"{COMMAND_SECONDS:.0f} s"
            ) from error
        return Finished(done.returncode, done.stdout, done.stderr)

    def must(self, *arguments: str | Path, folder: Path | None = None) -> str:
        """Run a command that must succeed; return what it wrote to stdout.

        Raises:
            DemoFailed: Another exit code than 0.
        """
        done = self.sealmesh(*arguments, folder=folder)
        if done.code != 0:
            raise DemoFailed(
                f"`sealmesh {arguments[0]}` failed", found=done.err.strip() or f"exit code {done.code}"
            )
        return done.out

    def the_mesh(self) -> Mesh:
        """Return the mesh, once act 1 has made it."""
        if self.mesh is None:
            raise RuntimeError("act 1 makes the mesh")
        return self.mesh

    def the_wire(self) -> Tap:
        """Return the tap between buyer and store, once act 1 has laid the wire."""
        if self.wire is None:
            raise RuntimeError("act 1 lays the wire")
        return self.wire


def plain_environment(folder: Path) -> dict[str, str]:
    """Return the environment that programs start from: nothing of the user's but path and language."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ") if name in os.environ}
    kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
    return kept | {
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
