"""What `install` put into a cluster: made, brought up to date, and taken away again, and nothing else.

Rules. What others made is never touched: an object of a name that we need and without our labels stops the
installation before anything changes. Everything we are about to make is written down first (a ConfigMap, the
inventory), so that an installation that broke off can be removed as well. What carries Helm's annotation to
be kept, the claim of the state, survives an uninstallation unless its end is asked for.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from sealmesh.adapters.kubernetes.chart import Release
from sealmesh.adapters.kubernetes.reference import Object, Reference
from sealmesh.errors.cluster import ClusterError, ClusterRefusal, InstallRefused, NotInstalled, NotOurs

INVENTORY: Final = "sealmesh-installation"
_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
_INSTANCE: Final = "app.kubernetes.io/instance"
_KEEP: Final = "helm.sh/resource-policy"
#: Where controllers write into objects of ours.
_CONTROLLERS: Final = (
    "deployment.kubernetes.io/",
    "pv.kubernetes.io/",
    "volume.kubernetes.io/",
    "volume.beta.",
)


class Objects(Protocol):
    """A cluster, as far as an installation needs it (`Cluster`)."""

    def get(self, reference: Reference) -> Object | None: ...
    def create(self, item: Object) -> None: ...
    def apply(
        self, item: Object, *, namespace: str, dry_run: bool = False, force: bool = False
    ) -> Object: ...
    def delete(self, reference: Reference) -> bool: ...


class Action(StrEnum):
    """What became of an object."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One object, and what became of it."""

    reference: Reference
    action: Action


class Installation:
    """One release in one namespace."""

    def __init__(self, cluster: Objects, release: Release) -> None:
        self._cluster = cluster
        self._release = release

    def install(self, objects: Sequence[Object], *, force: bool = False) -> tuple[Outcome, ...]:
        """Make the cluster have exactly these objects of this release; once more changes nothing.

        The cluster is asked about all of them before the first is made.

        Args:
            objects: In the order in which to make them.
            force: Take over fields that somebody else set on our objects.

        Raises:
            InstallRefused: One belongs into another namespace; nothing was changed.
            NotOurs: Names are taken; nothing was changed.
            ClusterError: The cluster refuses one; if already when asked, only the namespace is new.
        """
        wanted = [self._labelled(item) for item in objects]
        references = [Reference.of(item, self._release.namespace) for item in wanted]
        self._check_namespaces(references)
        self._ensure_namespace()
        before = self._inventory()
        there = self._ours(references)
        self._write_inventory([*references, *(old for old in before if old not in references)], dry_run=True)
        for item in wanted:
            self._apply(item, dry_run=True, force=force)
        self._write_inventory([*references, *(old for old in before if old not in references)])
        outcomes = [
            Outcome(
                reference=reference,
                action=_action(there[reference], self._apply(item, force=force)),
            )
            for item, reference in zip(wanted, references, strict=True)
        ]
        dropped, kept = self._remove(old for old in before if old not in references)
        self._write_inventory([*references, *(outcome.reference for outcome in kept)])
        return (*outcomes, *dropped, *kept)

    def uninstall(self, *, delete_state: bool = False) -> tuple[Outcome, ...]:
        """Remove what the inventory names and we made; keep the state unless `delete_state`.

        Raises:
            NotInstalled: There is no inventory, or nothing is left but the state.
        """
        listed = self._inventory()
        if not listed:
            raise NotInstalled(
                "sealmesh is not installed there", found=f"namespace {self._release.namespace}"
            )
        removed, kept = self._remove(reversed(listed), delete_kept=delete_state)
        if not removed and kept:
            raise NotInstalled(
                "nothing is left there but the state",
                found=", ".join(outcome.reference.title for outcome in kept),
                remedy="`--delete-state` removes it too, for good.",
            )
        if kept:
            self._write_inventory([outcome.reference for outcome in kept])
        else:
            self._cluster.delete(self._inventory_reference)
        return (*removed, *kept)

    @property
    def _inventory_reference(self) -> Reference:
        return Reference(
            api_version="v1", kind="ConfigMap", name=INVENTORY, namespace=self._release.namespace
        )

    def _labelled(self, item: Object) -> dict[str, Any]:
        metadata = dict(item["metadata"])
        labels = {
            **(metadata.get("labels") or {}),
            _MANAGED_BY: self._release.service,
            _INSTANCE: self._release.name,
        }
        return {**item, "metadata": {**metadata, "labels": labels}}

    def _check_namespaces(self, references: Sequence[Reference]) -> None:
        elsewhere = [ref for ref in references if ref.namespace != self._release.namespace]
        if elsewhere:
            raise InstallRefused(
                "the chart reaches into another namespace",
                found=f"{elsewhere[0].title} in {elsewhere[0].namespace}",
                wanted=self._release.namespace,
                remedy="Such a chart is installed with `helm install`.",
            )

    def _ensure_namespace(self) -> None:
        name = self._release.namespace
        reference = Reference(api_version="v1", kind="Namespace", name=name, namespace="")
        try:
            found = self._cluster.get(reference)
        except ClusterRefusal:
            return  # who may only work inside it cannot see it
        if found is None:
            self._cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        elif _ending(found):
            raise _still_ending(reference)

    def _ours(self, references: Sequence[Reference]) -> dict[Reference, Object | None]:
        """Return what is there under these names, None where nothing is.

        Raises:
            NotOurs: Some are somebody else's; the error names all of them.
        """
        found = {reference: self._cluster.get(reference) for reference in references}
        foreign = [ref for ref, item in found.items() if item is not None and not self._is_ours(item)]
        if foreign:
            raise NotOurs(
                f"the namespace {self._release.namespace} has what something else made",
                found=", ".join(reference.title for reference in foreign),
                wanted=f"the labels {_MANAGED_BY}={self._release.service}, {_INSTANCE}={self._release.name}",
            )
        for reference, item in found.items():
            if item is not None and _ending(item):
                raise _still_ending(reference)
        return found

    def _is_ours(self, found: Object) -> bool:
        labels = found["metadata"].get("labels") or {}
        return bool(
            labels.get(_MANAGED_BY) == self._release.service and labels.get(_INSTANCE) == self._release.name
        )

    def _apply(self, item: Object, *, dry_run: bool = False, force: bool = False) -> Object:
        return self._cluster.apply(item, namespace=self._release.namespace, dry_run=dry_run, force=force)

    def _remove(
        self, references: Iterable[Reference], *, delete_kept: bool = False
    ) -> tuple[list[Outcome], list[Outcome]]:
        """Remove what is there and ours; return what was removed, and what is to be kept."""
        removed, kept = [], []
        for reference in references:
            found = self._cluster.get(reference)
            if found is None or not self._is_ours(found):
                continue
            annotations = found["metadata"].get("annotations") or {}
            if annotations.get(_KEEP) == "keep" and not delete_kept:
                kept.append(Outcome(reference=reference, action=Action.KEPT))
            elif self._cluster.delete(reference):
                removed.append(Outcome(reference=reference, action=Action.REMOVED))
        return removed, kept

    def _inventory(self) -> list[Reference]:
        found = self._ours([self._inventory_reference])[self._inventory_reference]
        if found is None:
            return []
        try:
            listed = [Reference(**entry) for entry in json.loads(found["data"]["objects"])]
            self._check_namespaces(listed)  # who may write here may not say what is removed elsewhere
            return listed
        except (KeyError, TypeError, ValueError, InstallRefused) as error:
            raise ClusterError(
                f"configmap/{INVENTORY} is not as it was written",
                remedy="Remove the objects by their labels, `kubectl delete all,cm,pvc,sa -l "
                f"{_INSTANCE}={self._release.name}`, and install again.",
            ) from error

    def _write_inventory(self, references: Sequence[Reference], *, dry_run: bool = False) -> None:
        listed = json.dumps([asdict(reference) for reference in references], indent=1)
        item = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": INVENTORY, "namespace": self._release.namespace},
            "data": {"objects": listed},
        }
        self._apply(self._labelled(item), dry_run=dry_run, force=True)


def _ending(found: Object) -> bool:
    return bool(found["metadata"].get("deletionTimestamp"))


def _still_ending(reference: Reference) -> ClusterError:
    return ClusterError(
        f"{reference.title} is still being removed", remedy="Wait until it is gone, then install again."
    )


def _action(before: Object | None, after: Object) -> Action:
    if before is None:
        return Action.CREATED
    return Action.UNCHANGED if _wish(before) == _wish(after) else Action.UPDATED


def _wish(item: Object) -> dict[str, Any]:
    """Return the object without what the cluster's controllers keep in it, at any moment."""
    annotations = item["metadata"].get("annotations") or {}
    return {
        **{name: value for name, value in item.items() if name not in {"metadata", "status"}},
        "labels": item["metadata"].get("labels") or {},
        "annotations": {n: text for n, text in annotations.items() if not n.startswith(_CONTROLLERS)},
    }
