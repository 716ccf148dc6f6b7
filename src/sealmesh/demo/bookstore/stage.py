"""The stage: ports, folders, the wire tap and the programs' plain environment."""

import os
import secrets
import sys
from dataclasses import dataclass, field
from pathlib import Path

from sealmesh.demo.narrator import Narrator
from sealmesh.demo.programs import Programs, free_port

PROGRAMS = Path(__file__).with_name("programs")


@dataclass(frozen=True, slots=True)
class Ports:
    """Where everybody listens, on 127.0.0.1; made from ports that are free now."""

    store: int = field(default_factory=free_port)
    counter: int = field(default_factory=free_port)
    warehouse: int = field(default_factory=free_port)
    buyer_page: int = field(default_factory=free_port)
    thief_page: int = field(default_factory=free_port)
    mesh: int = field(default_factory=free_port)
    client: int = field(default_factory=free_port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What all acts share."""

    folder: Path
    programs: Programs
    narrator: Narrator
    ports: Ports = field(default_factory=Ports)
    card: str = field(default_factory=lambda: f"CANARY-{secrets.token_hex(8)}")

    def run(self, program: str) -> list[str]:
        """Return the command that runs one of the four programs as it is."""
        return [sys.executable, str(PROGRAMS / f"{program}.py")]


def plain_environment(folder: Path) -> dict[str, str]:
    """Return the environment that programs start from: nothing of the user's but the path and language."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ") if name in os.environ}
    return kept | {
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
