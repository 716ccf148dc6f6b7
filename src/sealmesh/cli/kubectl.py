"""Questions to a Kubernetes cluster, through the user's own `kubectl` and its configuration."""

import json
import subprocess
from typing import Any

from sealmesh.errors.cli import ClusterError

TIMEOUT_SECONDS = 30


def kubectl_json(*arguments: str) -> Any:
    """Return what `kubectl ARGUMENTS -o json` prints.

    Raises:
        ClusterError: There is no `kubectl`, or it fails.
    """
    command = ["kubectl", *arguments, "-o", "json", f"--request-timeout={TIMEOUT_SECONDS}s"]
    try:
        done = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=2 * TIMEOUT_SECONDS, check=False
        )
    except FileNotFoundError as error:
        raise ClusterError("kubectl is not installed", wanted="kubectl on the PATH") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ClusterError("kubectl does not answer", found=error) from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ClusterError("the cluster cannot be asked", found=said[-1][:200] if said else "no reason")
    try:
        return json.loads(done.stdout)
    except ValueError as error:
        raise ClusterError("kubectl answers what is no JSON") from error
