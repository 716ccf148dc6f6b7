"""Kubernetes clusters, and what is installed there."""

from sealmesh.errors.base import Kind, SealmeshError


class ClusterError(SealmeshError):
    """A Kubernetes cluster cannot be asked, or does not have what it must."""

    code = "cluster"
    kind = Kind.UNAVAILABLE
    remedy = "See that `kubectl get nodes` works here, with the cluster meant."


class ClusterRefusal(ClusterError):
    """The cluster understood, and refuses."""

    code = "cluster-refused"
    kind = Kind.DENIED
    remedy = "See what it says; `kubectl auth can-i --list` shows what you may do there."


class KubeconfigError(ClusterError):
    """Nothing usable says which cluster is meant, and who you are there."""

    code = "kubeconfig"
    kind = Kind.CONFIGURATION
    remedy = "Set KUBECONFIG, or write ~/.kube/config, so that `kubectl get nodes` works here."


class NotReady(ClusterError):
    """What is installed does not get ready."""

    code = "not-ready"


class NotOurs(ClusterError):
    """Objects of these names are in the cluster, and this command did not make them."""

    code = "not-ours"
    kind = Kind.CONFLICT
    remedy = (
        "Choose another namespace with --namespace, or remove them by what made them (`helm uninstall`, "
        "`marblerun uninstall`, `kubectl delete`)."
    )


class NotInstalled(ClusterError):
    """There is nothing to remove or to look at."""

    code = "not-installed"
    kind = Kind.NOT_FOUND
    remedy = "See that --namespace and the cluster are the ones meant; `sealmesh install` installs."


class InstallRefused(SealmeshError):
    """Options of an installation that contradict each other, or ask for what is not there."""

    code = "install-refused"
    kind = Kind.CONFIGURATION


class ChartError(SealmeshError):
    """A Helm chart cannot be read, or uses what only Helm itself has."""

    code = "chart"
    kind = Kind.CONFIGURATION
    remedy = "A chart that needs more of Helm than ours does is installed with `helm install`."
