"""How device plugins offer a TEE on nodes, and what a Coordinator asks of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from sealmesh.adapters.kubernetes.cluster import Cluster
from sealmesh.adapters.kubernetes.reference import Object
from sealmesh.errors.cluster import ClusterError, InstallRefused

#: What is asked for under each key that is in use. Of Intel's plugin: protected memory in bytes, and the
#: devices for an enclave and for quotes made inside it; of Azure's and Alibaba's: protected memory in MiB.
REQUESTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({
    "sgx.intel.com/epc": {
        "sgx.intel.com/epc": "512Mi", "sgx.intel.com/enclave": "1", "sgx.intel.com/provision": "1",
    },
    "sgx.intel.com/enclave": {"sgx.intel.com/enclave": "1", "sgx.intel.com/provision": "1"},
    "kubernetes.azure.com/sgx_epc_mem_in_MiB": {"kubernetes.azure.com/sgx_epc_mem_in_MiB": "512"},
    "alibabacloud.com/sgx_epc_MiB": {"alibabacloud.com/sgx_epc_MiB": "512"},
})  # fmt: skip
DEFAULT_KEY: Final = "sgx.intel.com/epc"
_KEY: Final = re.compile(
    r"(?=.{1,317}$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?/[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
)


@dataclass(frozen=True, slots=True)
class TeeNodes:
    """Nodes that offer a TEE, by the key they offer it under, and how many nodes there are."""

    by_key: Mapping[str, tuple[str, ...]]
    nodes: int

    @property
    def names(self) -> tuple[str, ...]:
        """The nodes that offer one, whatever the key."""
        return tuple(sorted({name for names in self.by_key.values() for name in names}))


def resources_for(key: str) -> Mapping[str, str]:
    """Return what a Coordinator asks of a node where TEEs are offered under `key`.

    Raises:
        InstallRefused: It is no name of a resource.
    """
    if not _KEY.fullmatch(key):
        raise InstallRefused(
            "--resource-key is no name of a device plugin's resource", found=key, wanted=DEFAULT_KEY,
            remedy="`kubectl get nodes -o yaml` shows the names under `allocatable`.",
        )  # fmt: skip
    return REQUESTS.get(key, {key: "1"})


def find_tee_nodes(cluster: Cluster, key: str | None = None) -> TeeNodes:
    """Return the nodes that offer `key`, or any key that is in use.

    Raises:
        ClusterError: No node does.
    """
    keys = tuple(REQUESTS) if key is None else (key,)
    nodes = cluster.list("v1", "Node")
    found = {name: _offering(nodes, name) for name in keys}
    offered = TeeNodes({name: able for name, able in found.items() if able}, len(nodes))
    if not offered.by_key:
        raise ClusterError(
            "no node of the cluster offers SGX"
            if key is None
            else "no node of the cluster offers the resource",
            found=f"{len(nodes)} nodes",
            wanted=f"a resource of {', '.join(keys)}",
            remedy="Install an SGX device plugin on nodes with SGX, or use the simulated platform.",
        )
    return offered


def _offering(nodes: list[Object], key: str) -> tuple[str, ...]:
    return tuple(
        sorted(
            str(node["metadata"]["name"])
            for node in nodes
            if str(((node.get("status") or {}).get("allocatable") or {}).get(key, "0")) != "0"
        )
    )
