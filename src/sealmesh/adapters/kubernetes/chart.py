"""A Helm chart, read from its directory and rendered by our own Go template engine.

One source for both ways to install: `helm install` takes the same directory. What Helm has beyond it (hooks,
subcharts, `lookup`, `tpl`, `.Files`, most of its functions) is refused, never rendered half.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from sealmesh.adapters.kubernetes.chart_functions import CHART_FUNCTIONS
from sealmesh.adapters.kubernetes.reference import Object, Reference
from sealmesh.errors.cluster import ChartError, InstallRefused
from sealmesh.provisioning.gotemplate import (
    Function,
    FunctionError,
    Parameter,
    Template,
    TemplateError,
    Value,
)

OWN_CHART: Final = Path(__file__).parent / "chart"
#: What stands where in the cluster before what: Helm's order, as far as charts like ours go.
_ORDER: Final = ("Namespace", "ServiceAccount", "Secret", "ConfigMap", "PersistentVolumeClaim", "Role",
                 "ClusterRole", "RoleBinding", "ClusterRoleBinding", "Service", "Deployment")  # fmt: skip
_NAMESPACE: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NOTES: Final = "NOTES.txt"
_HELM_PRINTS_NOTHING: Final = b"<no value>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Where a chart goes, and under which name.

    Attributes:
        service: Who installs; it stands in the label `app.kubernetes.io/managed-by`.

    Raises:
        InstallRefused: No namespace can have this name.
    """

    name: str = "marblerun"
    namespace: str = "marblerun"
    service: str = "sealmesh"

    def __post_init__(self) -> None:
        if not _NAMESPACE.fullmatch(self.namespace):
            raise InstallRefused(
                "--namespace is no name of one",
                found=self.namespace,
                wanted="small letters, digits and dashes, at most 63",
                remedy="`kubectl get namespaces` shows those that there are.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What a chart says: objects in the order in which they are made, and words for people."""

    objects: tuple[Object, ...]
    notes: str


class Chart:
    """A chart directory. Reads it once."""

    def __init__(self, directory: Path) -> None:
        """Read `directory`.

        Raises:
            ChartError: It is no chart, or has subcharts.
        """
        self._document = _mapping(directory / "Chart.yaml")
        self._values = _mapping(directory / "values.yaml", optional=True)
        if self._document.get("dependencies") or (directory / "charts").is_dir():
            raise ChartError("the chart has subcharts", found=directory, wanted="a chart that stands alone")
        files = sorted(path for path in (directory / "templates").rglob("*") if path.is_file())
        self._definitions = "".join(_read(path) for path in files if path.name.startswith("_"))
        self._templates = {
            str(path.relative_to(directory)): _read(path) for path in files if not path.name.startswith("_")
        }

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self._document.get('name')}-{self._document.get('version')}"

    def render(self, values: Mapping[str, Any], release: Release) -> Rendered:
        """Return the objects that the chart makes of `values` (laid over its own) for `release`.

        Raises:
            ChartError: A template cannot be read or rendered, or makes what is no object.
        """
        data = self._data(values, release)
        texts = {name: self._filled(name, text, data) for name, text in self._templates.items()}
        objects = [
            item
            for name, text in texts.items()
            if Path(name).suffix in {".yaml", ".yml"}
            for item in _objects(name, text)
        ]
        notes = next((text for name, text in texts.items() if Path(name).name == _NOTES), "")
        return Rendered(objects=tuple(sorted(objects, key=_rank)), notes=notes.strip())

    def _data(self, values: Mapping[str, Any], release: Release) -> dict[str, Any]:
        chart = {name[:1].upper() + name[1:]: value for name, value in self._document.items()}
        return {
            "Values": _laid_over(self._values, values),
            "Release": {
                "Name": release.name,
                "Namespace": release.namespace,
                "Service": release.service,
                "IsInstall": True,
                "IsUpgrade": False,
                "Revision": 1,
            },
            "Chart": {"AppVersion": "", **chart},
        }

    def _filled(self, name: str, text: str, data: Mapping[str, Any]) -> str:
        try:
            filled = self._parsed(name, text).execute({**data, "Template": {"Name": name}})
        except TemplateError as error:
            raise ChartError(f"{name}: {error}") from error
        except RecursionError:
            raise ChartError(f"{name} includes itself") from None
        return filled.replace(_HELM_PRINTS_NOTHING, b"").decode()

    def _parsed(self, name: str, text: str) -> Template:
        # Definitions come last, so that places in errors are those in the file.
        return Template.parse(
            f"{text}{{{{/**/ -}}}}\n{self._definitions}", functions=self._functions(), name=name
        )

    def _functions(self) -> Mapping[str, Function]:
        include = Function(call=self._include, parameters=(Parameter.STRING, Parameter.ANY))
        return {**CHART_FUNCTIONS, "include": include}

    def _include(self, name: bytes, dot: Value) -> Value:
        try:
            return self._parsed("include", f'{{{{template "{name.decode()}" .}}}}').execute(dot).rstrip(b"\n")
        except TemplateError as error:
            raise FunctionError(f"{name.decode()}: {error}") from error


def _objects(name: str, text: str) -> Sequence[Object]:
    try:
        documents = [item for item in yaml.safe_load_all(text) if item is not None]
    except yaml.YAMLError as error:
        raise ChartError(f"{name} renders to what is no YAML", found=str(error)[:200]) from error
    for item in documents:
        if not (isinstance(item, dict) and item.get("apiVersion") and item.get("kind")):
            raise ChartError(f"{name} renders to what is no Kubernetes object")
        metadata = item.get("metadata")
        if not (isinstance(metadata, dict) and metadata.get("name")):
            raise ChartError(f"{name} renders to an object without a name")
        try:
            Reference.of(item, "")
        except ValueError as error:
            raise ChartError(f"{name}: {error}") from error
        if "helm.sh/hook" in (metadata.get("annotations") or {}):
            raise ChartError(f"{name} is a hook of Helm's", found=metadata["annotations"]["helm.sh/hook"])
    return documents


def _rank(item: Object) -> int:
    return _ORDER.index(item["kind"]) if item["kind"] in _ORDER else len(_ORDER)


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        under = merged.get(name)
        deeper = isinstance(under, Mapping) and isinstance(value, Mapping)
        merged[name] = _laid_over(under, value) if deeper and isinstance(under, Mapping) else value
    return merged


def _mapping(path: Path, *, optional: bool = False) -> dict[str, Any]:
    if optional and not path.exists():
        return {}
    try:
        document = yaml.safe_load(_read(path)) or {}
    except yaml.YAMLError as error:
        raise ChartError(f"{path} is no YAML", found=str(error)[:200]) from error
    if not isinstance(document, dict):
        raise ChartError(f"{path} is no mapping")
    return document


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ChartError(
            f"{path} cannot be read", found=error, wanted="a chart's directory, unpacked",
        ) from error  # fmt: skip
