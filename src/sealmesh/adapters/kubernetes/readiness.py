"""Whether the control plane in a namespace runs, and why not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sealmesh.adapters.kubernetes.cluster import Cluster
from sealmesh.adapters.kubernetes.reference import Object
from sealmesh.errors.cluster import ClusterRefusal, NotInstalled, NotReady

#: The Deployments of MarbleRun's control plane, which are ours: the Coordinator, and perhaps an injector.
DEPLOYMENTS: Final = ("marblerun-coordinator", "marble-injector")
_POLL_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Readiness:
    """How many pods of a Deployment serve, and how many should.

    Attributes:
        settled: The cluster has seen the latest change of the Deployment.
    """

    ready: int
    wanted: int
    settled: bool = True

    @property
    def complete(self) -> bool:
        """Whether nothing is to be waited for. No pods at all is not that."""
        return self.settled and self.ready >= max(1, self.wanted)


def await_ready(
    cluster: Cluster,
    namespace: str,
    *,
    timeout_seconds: float,
    monotonic: Callable[[], float],
    sleep: Callable[[float], None],
) -> Mapping[str, Readiness]:
    """Return how the Deployments are once all their pods serve.

    Raises:
        NotInstalled: There is no Coordinator in the namespace.
        NotReady: The time is over; the error says what the pods wait for.
    """
    deadline = monotonic() + timeout_seconds
    while True:
        found = _deployments(cluster, namespace)
        if all(readiness.complete for readiness in found.values()):
            return found
        left = deadline - monotonic()
        if left <= 0:
            raise _not_ready(cluster, namespace, found, timeout_seconds)
        sleep(min(_POLL_SECONDS, left))


def _deployments(cluster: Cluster, namespace: str) -> dict[str, Readiness]:
    items = {
        str(item["metadata"]["name"]): item
        for item in cluster.list("apps/v1", "Deployment", namespace=namespace)
    }
    if DEPLOYMENTS[0] not in items:
        raise NotInstalled(
            "there is no Coordinator in the namespace",
            found=namespace,
            wanted=f"a deployment {DEPLOYMENTS[0]}",
        )
    return {name: _readiness(items[name]) for name in DEPLOYMENTS if name in items}


def _readiness(deployment: Object) -> Readiness:
    spec, status = deployment.get("spec") or {}, deployment.get("status") or {}
    wanted = int(spec.get("replicas") or 0)
    seen = int(status.get("observedGeneration") or 0) >= int(deployment["metadata"].get("generation") or 0)
    updated = int(status.get("updatedReplicas") or 0) >= wanted
    return Readiness(int(status.get("availableReplicas") or 0), wanted, seen and updated)


def _not_ready(
    cluster: Cluster, namespace: str, found: Mapping[str, Readiness], timeout_seconds: float
) -> NotReady:
    waiting = next(name for name, readiness in found.items() if not readiness.complete)
    states = [f"{name}: {item.ready} of {item.wanted} pods ready" for name, item in found.items()]
    return NotReady(
        f"not ready after {timeout_seconds:g} s",
        found="; ".join([*states, *_reasons(cluster, namespace)]),
        remedy=f"Look at `kubectl -n {namespace} describe deployment {waiting}` and at its pods' logs.",
    )


def _reasons(cluster: Cluster, namespace: str) -> list[str]:
    """Return what the pods of the Coordinator wait for, as the cluster puts it."""
    labels = "app.kubernetes.io/name=coordinator"
    try:
        pods = cluster.list("v1", "Pod", namespace=namespace, labels=labels)
    except ClusterRefusal:
        return []
    return [f"{pod['metadata']['name']}: {reason}"[:300] for pod in pods for reason in _pod_reasons(pod)]


def _pod_reasons(pod: Object) -> list[str]:
    status = pod.get("status") or {}
    waiting = [
        (container.get("state") or {}).get("waiting") or {}
        for container in status.get("containerStatuses") or []
    ]
    unscheduled = [
        condition
        for condition in status.get("conditions") or []
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False"
    ]
    return [
        " ".join(str(item[part]) for part in ("reason", "message") if item.get(part))
        for item in (*waiting, *unscheduled)
        if item.get("reason")
    ]
