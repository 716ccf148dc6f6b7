"""An installation that breaks off, and an inventory that somebody changed."""

import json
from typing import Any

import pytest

from sealmesh.adapters.kubernetes import Installation, Release
from sealmesh.adapters.kubernetes.installation import INVENTORY
from sealmesh.adapters.kubernetes.reference import Reference
from sealmesh.errors.cluster import ClusterError, InstallRefused

RELEASE = Release(namespace="space")


class Memory:
    """A cluster that fails at the n-th change, if told to."""

    def __init__(self) -> None:
        self.objects: dict[Reference, dict[str, Any]] = {}
        self.changes_left = 1000

    def get(self, reference):
        return self.objects.get(reference)

    def create(self, item):
        self.objects[Reference.of(item, "")] = dict(item)

    def apply(self, item, *, namespace, dry_run=False, force=False):
        if not dry_run:
            self._change()
            self.objects[Reference.of(item, namespace)] = dict(item)
        return item

    def delete(self, reference):
        self._change()
        return self.objects.pop(reference, None) is not None

    def _change(self) -> None:
        if not self.changes_left:
            raise ClusterError("the cluster does not answer")
        self.changes_left -= 1

    def names(self) -> set[str]:
        return {reference.name for reference in self.objects if reference.kind != "Namespace"}


def object_(name: str, **metadata: object) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, **metadata},
        "data": {"a": "b"},
    }


OBJECTS = [object_("one"), object_("two"), object_("state", annotations={"helm.sh/resource-policy": "keep"})]


@pytest.mark.parametrize("changes", range(5))
def test_an_installation_that_broke_off_can_be_finished_or_removed(changes):
    for finish in (True, False):
        cluster = Memory()
        cluster.changes_left = changes
        with pytest.raises(ClusterError, match="does not answer"):
            Installation(cluster, RELEASE).install(OBJECTS)
        assert not cluster.names() or INVENTORY in cluster.names()
        cluster.changes_left = 1000
        if finish:
            Installation(cluster, RELEASE).install(OBJECTS)
            assert cluster.names() == {"one", "two", "state", INVENTORY}
        elif cluster.names():
            Installation(cluster, RELEASE).uninstall(delete_state=True)
            assert cluster.names() == set()


@pytest.mark.parametrize("changes", range(4))
def test_a_removal_that_broke_off_can_be_finished(changes):
    cluster = Memory()
    Installation(cluster, RELEASE).install(OBJECTS)
    cluster.changes_left = changes
    with pytest.raises(ClusterError, match="does not answer"):
        Installation(cluster, RELEASE).uninstall(delete_state=True)
    cluster.changes_left = 1000
    Installation(cluster, RELEASE).uninstall(delete_state=True)
    assert cluster.names() == set()


@pytest.mark.parametrize(
    "listed",
    [
        "nonsense",
        "[1]",
        json.dumps([{"api_version": "v1", "kind": "ConfigMap", "name": "../x", "namespace": "space"}]),
        json.dumps([{"api_version": "v1", "kind": "ConfigMap", "name": ["x"], "namespace": "space"}]),
        json.dumps([{"api_version": "../v1", "kind": "ConfigMap", "name": "x", "namespace": "space"}]),
        '[{"name": "x"}]',
        json.dumps([{"api_version": "v1", "kind": "ConfigMap", "name": "theirs", "namespace": "other"}]),
    ],
)
def test_a_changed_inventory_leads_to_nothing_being_removed_here_or_elsewhere(listed):
    cluster = Memory()
    Installation(cluster, Release(namespace="other")).install([object_("theirs")])
    Installation(cluster, RELEASE).install(OBJECTS)
    own = Reference(api_version="v1", kind="ConfigMap", name=INVENTORY, namespace="space")
    cluster.objects[own]["data"] = {"objects": listed}
    before = dict(cluster.objects)
    for act in (lambda it: it.uninstall(delete_state=True), lambda it: it.install(OBJECTS)):
        with pytest.raises(ClusterError, match="not as it was written"):
            act(Installation(cluster, RELEASE))
    assert cluster.objects == before


def test_an_inventory_may_name_what_is_not_ours_any_more_and_that_stays():
    cluster = Memory()
    Installation(cluster, RELEASE).install(OBJECTS)
    one = Reference(api_version="v1", kind="ConfigMap", name="one", namespace="space")
    cluster.objects[one] = object_("one", labels={"app.kubernetes.io/managed-by": "Helm"})
    Installation(cluster, RELEASE).uninstall(delete_state=True)
    assert cluster.names() == {"one"}


def test_a_chart_that_reaches_into_another_namespace_is_refused():
    cluster = Memory()
    with pytest.raises(InstallRefused, match="another namespace"):
        Installation(cluster, RELEASE).install([*OBJECTS, object_("x", namespace="kube-system")])
    assert cluster.objects == {}


def test_what_is_still_being_removed_is_not_taken_for_installed():
    cluster = Memory()
    Installation(cluster, RELEASE).install(OBJECTS)
    one = Reference(api_version="v1", kind="ConfigMap", name="one", namespace="space")
    cluster.objects[one]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    before = dict(cluster.objects)
    with pytest.raises(ClusterError, match="still being removed"):
        Installation(cluster, RELEASE).install([object_("one"), object_("new")])
    assert cluster.objects == before
