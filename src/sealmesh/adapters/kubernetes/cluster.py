"""The API of one Kubernetes cluster, as far as an installation needs it.

Server-side apply (Kubernetes documentation, "Server-Side Apply"): the cluster merges, remembers which fields
are ours, and refuses to take a field away from somebody else.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import httpx

from sealmesh.adapters.kubernetes.kubeconfig import Access
from sealmesh.adapters.kubernetes.reference import Object, Reference
from sealmesh.adapters.kubernetes.signing_in import sign_in, tls_context
from sealmesh.errors.cluster import ClusterError, ClusterRefusal

FIELD_MANAGER: Final = "sealmesh"
_TIMEOUT_SECONDS: Final = 30.0
_APPLY: Final = "application/apply-patch+yaml"  # JSON is YAML
_CONFLICT_REMEDY: Final = (
    "Somebody else set these fields after the installation. --force-conflicts takes them over; or leave them."
)


@dataclass(frozen=True, slots=True)
class _Resource:
    """Where objects of a kind are in the API."""

    base: str
    plural: str
    namespaced: bool

    def path(self, namespace: str | None, name: str | None = None) -> str:
        scope = f"/namespaces/{quote(namespace, safe='')}" if self.namespaced and namespace else ""
        return f"{self.base}{scope}/{self.plural}" + (f"/{quote(name, safe='')}" if name else "")


class Cluster:
    """One cluster. Close it after use (`with`)."""

    def __init__(self, client: httpx.Client, *, server: str) -> None:
        self._client = client
        self._kinds: dict[tuple[str, str], _Resource] = {}
        self.server = server

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, reference: Reference) -> Object | None:
        """Return the object, None if there is none."""
        resource = self._resource(reference.api_version, reference.kind)
        answer = self._ask("GET", resource.path(reference.namespace, reference.name))
        return None if answer.status_code == httpx.codes.NOT_FOUND else _document(answer)

    def list(self, api_version: str, kind: str, *, namespace: str = "", labels: str = "") -> list[Object]:
        """Return all objects of a kind: in the namespace if one is given, with the labels (a selector)."""
        path = self._resource(api_version, kind).path(namespace)
        answer = self._ask("GET", path, parameters={"labelSelector": labels} if labels else {})
        items = _document(answer).get("items")
        return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []

    def create(self, item: Object) -> None:
        """Create an object that has no namespace; one that is there already is fine."""
        resource = self._resource(str(item["apiVersion"]), str(item["kind"]))
        answer = self._ask("POST", resource.path(None), body=item)
        if answer.status_code != httpx.codes.CONFLICT:
            _document(answer)

    def apply(self, item: Object, *, namespace: str, dry_run: bool = False, force: bool = False) -> Object:
        """Make the object be as `item` says, by server-side apply, and return it as it is then.

        Args:
            item: The whole wish: a field that was in an earlier one and is not in this one goes away.
            namespace: Where, unless the object says it.
            dry_run: Only ask whether it would be done.
            force: Take over fields that somebody else set.

        Raises:
            ClusterRefusal: It is not allowed, not valid, or somebody else set a field.
            ClusterError: The cluster does not answer, or does not know the kind.
        """
        reference = Reference.of(item, namespace)
        resource = self._resource(reference.api_version, reference.kind)
        answer = self._ask(
            "PATCH",
            resource.path(reference.namespace, reference.name),
            parameters={
                "fieldManager": FIELD_MANAGER,
                "force": "true" if force else "false",
                **({"dryRun": "All"} if dry_run else {}),
            },
            body=item,
            content_type=_APPLY,
        )
        return _document(answer, about=reference.title)

    def delete(self, reference: Reference) -> bool:
        """Delete the object and, in the background, what it made; return whether it was there."""
        resource = self._resource(reference.api_version, reference.kind)
        answer = self._ask(
            "DELETE",
            resource.path(reference.namespace, reference.name),
            body={"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"},
        )
        if answer.status_code == httpx.codes.NOT_FOUND:
            return False
        _document(answer, about=reference.title)
        return True

    def _resource(self, api_version: str, kind: str) -> _Resource:
        """Return where the kind is, asking the cluster once."""
        if (api_version, kind) not in self._kinds:
            base = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
            found = _document(self._ask("GET", base), about=api_version).get("resources")
            for entry in found if isinstance(found, list) else []:
                if "/" not in entry["name"]:  # not a subresource
                    self._kinds[api_version, entry["kind"]] = _Resource(
                        base, entry["name"], bool(entry["namespaced"])
                    )
        try:
            return self._kinds[api_version, kind]
        except KeyError:
            raise ClusterError("the cluster does not know a kind", found=f"{api_version} {kind}") from None

    def _ask(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, str] | None = None,
        body: Object | None = None,
        content_type: str = "application/json",
    ) -> httpx.Response:
        content = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"content-type": content_type}
        try:
            return self._client.request(method, path, params=parameters, content=content, headers=headers)
        except httpx.HTTPError as error:
            raise ClusterError(
                "the cluster does not answer", found=f"{self.server}: {error or type(error).__name__}"
            ) from error


def open_cluster(access: Access) -> Cluster:
    """Return the cluster, signed in.

    Raises:
        KubeconfigError: The credentials cannot be used.
    """
    shown = sign_in(access.credentials)
    headers = {"accept": "application/json", "user-agent": FIELD_MANAGER}
    if shown.token is not None:
        headers["authorization"] = f"Bearer {shown.token}"
    client = httpx.Client(
        base_url=access.server,
        verify=tls_context(access, shown),
        headers=headers,
        timeout=_TIMEOUT_SECONDS,
        proxy=access.proxy,
        event_hooks={"request": [] if access.server_name is None else [_named(access.server_name)]},
    )
    return Cluster(client, server=access.server)


def _named(server_name: str) -> Any:
    def name(request: httpx.Request) -> None:
        request.extensions["sni_hostname"] = server_name

    return name


def _document(answer: httpx.Response, *, about: str = "") -> dict[str, Any]:
    """Return what the cluster answers; a refusal is an error with its words."""
    try:
        document = answer.json()
    except ValueError:
        document = None
    if answer.is_success and isinstance(document, dict):
        return document
    said = str(document.get("message") or "") if isinstance(document, dict) else ""
    raise _refusal(answer.status_code, f"{about}: {said}" if about and about not in said else said)


def _refusal(status: int, said: str) -> ClusterError:
    found = f"{status}: {said}"[:600]
    match status:
        case 401:
            return ClusterRefusal("the cluster does not know you", found=found, remedy="Sign in again.")
        case 403:
            return ClusterRefusal("the cluster does not allow it", found=found)
        case 409:
            return ClusterRefusal(
                "somebody else changed it", code="cluster-conflict", found=found, remedy=_CONFLICT_REMEDY
            )
        case 400 | 404 | 405 | 415 | 422:
            return ClusterRefusal("the cluster does not take it", found=found)
    return ClusterError("the cluster cannot do it now", found=found)
