"""Kubernetes: whom to ask, what to install, and whether it is there.

Talks to the cluster's API itself, over httpx, with the user's kubeconfig (`docs/adr/0012`). Nothing here
decides about trust: what the cluster says about the Coordinator is its own claim, and only Evidence counts.
"""

from sealmesh.adapters.kubernetes.chart import Chart, Release
from sealmesh.adapters.kubernetes.cluster import Cluster, open_cluster
from sealmesh.adapters.kubernetes.installation import Installation, Outcome
from sealmesh.adapters.kubernetes.kubeconfig import find_access
from sealmesh.adapters.kubernetes.options import InstallOptions
from sealmesh.adapters.kubernetes.readiness import Readiness, await_ready
from sealmesh.adapters.kubernetes.tee_resource import TeeNodes, find_tee_nodes, resources_for

__all__ = [
    "Chart",
    "Cluster",
    "InstallOptions",
    "Installation",
    "Outcome",
    "Readiness",
    "Release",
    "TeeNodes",
    "await_ready",
    "find_access",
    "find_tee_nodes",
    "open_cluster",
    "resources_for",
]
