"""A Coordinator with MarbleRun's first REST API alone: as older ones, it answers 405 to everything else."""

import sys

from sealmesh.adapters.rest import application
from sealmesh.cli import main

if __name__ == "__main__":
    application.ROUTES = {  # type: ignore[misc]
        (method, path): route
        for (method, path), route in application.ROUTES.items()
        if not path.startswith("/api/")
    }
    sys.exit(main(["coordinator", *sys.argv[1:]]))
