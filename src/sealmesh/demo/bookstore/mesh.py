"""One mesh of the play: a Coordinator, its policy, the packages it admits."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from sealmesh.demo.programs import Program, Programs, free_port, listening

HOST = "127.0.0.1"
SEALMESH = (sys.executable, "-m", "sealmesh.cli")


@dataclass(slots=True, kw_only=True)
class Mesh:
    """A Coordinator and where it keeps its things.

    Attributes:
        folder: Holds `state` (the seal directory) and the log.
        platform: The simulated SGX platform.
        policy: The file that recognizes the Coordinator.
        attester: Which simulated TEE the Coordinator runs in, as `--attester` names it.
        packages: Marble type to the folder of its signed package.
    """

    folder: Path
    platform: Path
    policy: Path
    attester: str = "simulated"
    mesh_port: int = field(default_factory=free_port)
    client_port: int = field(default_factory=free_port)
    coordinator: Program | None = None
    packages: dict[str, Path] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The Coordinator's client API."""
        return f"{HOST}:{self.client_port}"

    def command(self) -> list[str]:
        """Return the arguments of `sealmesh coordinator`."""
        return [
            "coordinator",
            "--attester", f"{self.attester}:{self.platform}",
            "--mesh-addr", f"{HOST}:{self.mesh_port}",
            "--client-addr", f"{HOST}:{self.client_port}",
            "--seal-dir", str(self.folder / "state"),
            "--log-format", "console",
        ]  # fmt: skip

    @property
    def manifest(self) -> Path:
        """The manifest's file."""
        return self.folder / "manifest.json"


def start_coordinator(programs: Programs, mesh: Mesh) -> None:
    """Start the Coordinator of `mesh`, with whatever state it left before; wait until it listens."""
    coordinator = programs.start("coordinator", [*SEALMESH, *mesh.command()], folder=mesh.folder)
    mesh.coordinator = coordinator
    coordinator.wait_until(
        lambda: listening(mesh.client_port) and listening(mesh.mesh_port), "listening on both ports"
    )
