"""`sealmesh check` and `sealmesh precheck`: a Kubernetes cluster's control plane and nodes."""

import time
from typing import Annotated

import typer

from sealmesh.cli.options import with_options
from sealmesh.cli.output import Output
from sealmesh.cli.trust import Trust
from sealmesh.cli.user_cluster import user_cluster


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

    Asks the cluster of your kubeconfig; if it does not get ready, says what its pods wait for. A deployment
    that is not there is not waited for: an injector is optional, a Coordinator is not. Ready is what the
    cluster says of it; who the Coordinator is, only `sealmesh verify` tells.

    Example: `sealmesh check --namespace marblerun --timeout 120`
    """
    from sealmesh.adapters.kubernetes import await_ready

    with user_cluster(output) as cluster:
        found = await_ready(
            cluster, trust.namespace, timeout_seconds=timeout, monotonic=time.monotonic, sleep=time.sleep
        )
    lines = [f"{trust.namespace}/{name} pods ready: {it.ready}/{it.wanted}" for name, it in found.items()]
    output.result("\n".join(lines), {n: {"ready": it.ready, "wanted": it.wanted} for n, it in found.items()})


@with_options
def precheck(
    *,
    resource_key: Annotated[
        str | None,
        typer.Option("--resource-key", metavar="NAME", help="Look for this resource; all that are in use."),
    ] = None,
    trust: Trust,
    output: Output,
) -> None:
    """Tell whether the nodes of a Kubernetes cluster offer SGX; exit code 1 if none does.

    Asks the cluster of your kubeconfig for the resources by which SGX device plugins offer it.

    Example: `sealmesh precheck`
    """
    from sealmesh.adapters.kubernetes import find_tee_nodes

    del trust  # accepted as MarbleRun's client accepts it
    with user_cluster(output) as cluster:
        found = find_tee_nodes(cluster, resource_key)
    lines = [f"The cluster offers SGX on {len(found.names)} of {found.nodes} nodes."]
    lines += [f"  {key}: {', '.join(names)}" for key, names in found.by_key.items()]
    output.result("\n".join(lines), {"nodes": list(found.names), "resources": dict(found.by_key)})


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (check, precheck):
        app.command(rich_help_panel="Operating")(command)
