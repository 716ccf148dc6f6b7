"""`sealmesh check` and `sealmesh precheck`: a Kubernetes cluster's control plane and nodes."""

import time
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from sealmesh.cli.kubectl import kubectl_json
from sealmesh.cli.options import with_options
from sealmesh.cli.output import Output
from sealmesh.cli.trust import Trust
from sealmesh.errors.cli import ClusterError

#: The deployments of MarbleRun's control plane.
DEPLOYMENTS = ("marblerun-coordinator", "marble-injector")
#: Resources by which device plugins offer SGX.
SGX_RESOURCES = ("sgx.intel.com/enclave", "sgx.intel.com/epc", "kubernetes.azure.com/sgx_epc_mem_in_MiB")
POLL_SECONDS = 1.0


@with_options
def check(
    *,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", help="How long to wait for it.")
    ] = 60,
    trust: Trust,
    output: Output,
) -> None:
    """Wait until the control plane in a Kubernetes cluster is ready; exit code 1 if it does not get so.

    Asks the cluster of your `kubectl`. A deployment that is not there is not waited for: an injector is
    optional, a Coordinator is not.

    Example: `sealmesh check --namespace marblerun --timeout 120`
    """
    deadline = time.monotonic() + timeout
    while True:
        found = _deployments(trust.namespace)
        if all(ready >= wanted for ready, wanted in found.values()) or time.monotonic() >= deadline:
            break
        time.sleep(min(POLL_SECONDS, max(0.0, deadline - time.monotonic())))
    lines = [f"{trust.namespace}/{name} pods ready: {ready}/{all_}" for name, (ready, all_) in found.items()]
    waiting = [name for name, (ready, wanted) in found.items() if ready < wanted]
    if waiting:
        raise ClusterError(
            f"not ready after {timeout:g} s", found="; ".join(lines),
            remedy=f"Look at `kubectl -n {trust.namespace} describe deployment {waiting[0]}`.",
        )  # fmt: skip
    output.result("\n".join(lines), {name: {"ready": r, "wanted": w} for name, (r, w) in found.items()})


@with_options
def precheck(*, trust: Trust, output: Output) -> None:
    """Tell whether the nodes of a Kubernetes cluster offer SGX; exit code 1 if none does.

    Asks the cluster of your `kubectl`.

    Example: `sealmesh precheck`
    """
    del trust  # accepted as MarbleRun's client accepts it
    nodes = kubectl_json("get", "nodes")["items"]
    able = sorted(str(node["metadata"]["name"]) for node in nodes if _offers_sgx(node))
    if not able:
        raise ClusterError(
            "no node of the cluster offers SGX",
            found=f"{len(nodes)} nodes",
            wanted=f"a resource of {', '.join(SGX_RESOURCES)}",
            remedy="Install an SGX device plugin on nodes with SGX, or use the simulated platform.",
        )
    output.result(f"The cluster offers SGX on {len(able)} of {len(nodes)} nodes.", {"nodes": able})


def _deployments(namespace: str) -> Mapping[str, tuple[int, int]]:
    """Return how many pods are ready and how many should be, by deployment."""
    items = kubectl_json("--namespace", namespace, "get", "deployments")["items"]
    by_name: dict[str, Any] = {str(item["metadata"]["name"]): item for item in items}
    if DEPLOYMENTS[0] not in by_name:
        raise ClusterError(
            "there is no Coordinator in the namespace",
            found=namespace,
            wanted=f"a deployment {DEPLOYMENTS[0]}",
        )
    return {
        name: (
            int(by_name[name].get("status", {}).get("readyReplicas") or 0),
            int(by_name[name].get("spec", {}).get("replicas") or 0),
        )
        for name in DEPLOYMENTS
        if name in by_name
    }


def _offers_sgx(node: Mapping[str, Any]) -> bool:
    offered = node.get("status", {}).get("allocatable", {})
    return any(str(offered.get(name, "0")) != "0" for name in SGX_RESOURCES)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (check, precheck):
        app.command(rich_help_panel="Operating")(command)
