"""Starting the four programs inside the mesh."""

import shutil
from pathlib import Path

from sealmesh.demo.bookstore.mesh import HOST, SEALMESH, Mesh
from sealmesh.demo.bookstore.packages import FILES
from sealmesh.demo.bookstore.stage import Stage
from sealmesh.demo.bookstore.tees import attester_of
from sealmesh.demo.programs import Program


def install(package: Path, folder: Path) -> Path:
    """Copy a signed package to where it is to run, as it would be copied to a machine."""
    shutil.copytree(package, folder)
    return folder


def start_marble(
    stage: Stage,
    mesh: Mesh,
    marble_type: str,
    folder: Path,
    program: str | None = None,
    *,
    elsewhere: bool = False,
) -> Program:
    """Start the package in `folder` as a Marble of `mesh`; its new UUID stays in that folder."""
    attester = attester_of(marble_type, mixed=stage.mixed, elsewhere=elsewhere)
    words = ["run", "--", "python", program or FILES[marble_type][0]]
    stage.narrator.say(f"$ sealmesh {' '.join(words)}   # in {folder.relative_to(stage.folder)}")
    return stage.programs.start(
        marble_type,
        [*SEALMESH, *words],
        folder=folder,
        env={
            "EDG_MARBLE_TYPE": marble_type,
            "EDG_MARBLE_COORDINATOR_ADDR": f"{HOST}:{mesh.mesh_port}",
            "SEALMESH_ATTESTER": f"{attester}:{mesh.platform}",
        },
    )
