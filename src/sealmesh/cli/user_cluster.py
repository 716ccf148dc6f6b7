"""The Kubernetes cluster that the user's kubeconfig means."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sealmesh.cli.output import Output

if TYPE_CHECKING:
    from sealmesh.adapters.kubernetes import Cluster


def user_cluster(output: Output) -> "Cluster":
    """Return it, signed in; warn where its certificate is not checked.

    Raises:
        KubeconfigError: None is meant, or the user cannot sign in.
    """
    from sealmesh.adapters.kubernetes import find_access, open_cluster

    access = find_access(os.environ, Path.home())
    if access.insecure:
        output.warn("the kubeconfig says not to check the cluster's certificate: anybody may answer")
    return open_cluster(access)
