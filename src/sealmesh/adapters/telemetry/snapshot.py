"""What a process counted, as data: taken from a registry, sent to another process, added up, written out."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from prometheus_client import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

#: The client library's addition to each family that the contract does not have.
_CREATED: Final = "_created"

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One line."""

    name: str
    labels: Labels
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One metric family, by its name without `_total`."""

    name: str
    kind: str
    about: str
    samples: tuple[Sample, ...]


Snapshot = tuple[Family, ...]


def take(registry: Collector) -> Snapshot:
    """Return what `registry` counted; families without a sample are left out, as MarbleRun does."""
    families = (_family(metric) for metric in registry.collect())
    return tuple(family for family in families if family.samples)


def gauge(name: str, about: str, value: float, **labels: str) -> Family:
    """Return a gauge with one sample."""
    sample = Sample(name=name, labels=tuple(labels.items()), value=value)
    return Family(name=name, kind="gauge", about=about, samples=(sample,))


def add_up(snapshots: Sequence[Snapshot]) -> Snapshot:
    """Return the sums of samples with the same name and labels."""
    if len(snapshots) == 1:
        return snapshots[0]
    families: dict[str, Family] = {}
    sums: dict[str, dict[tuple[str, Labels], float]] = {}
    for family in (family for snapshot in snapshots for family in snapshot):
        families.setdefault(family.name, family)
        values = sums.setdefault(family.name, {})
        for sample in family.samples:
            key = (sample.name, sample.labels)
            values[key] = values.get(key, 0.0) + sample.value
    return tuple(
        Family(name=name, kind=family.kind, about=family.about, samples=tuple(_samples(sums[name])))
        for name, family in families.items()
    )


def render(snapshot: Snapshot) -> bytes:
    """Return the text format, version 0.0.4."""
    return generate_latest(_Fixed(snapshot))


def to_json(snapshot: Snapshot) -> bytes:
    """Return `snapshot` for another worker of the same Coordinator."""
    return json.dumps(
        [
            [family.name, family.kind, family.about, [[s.name, s.labels, s.value] for s in family.samples]]
            for family in snapshot
        ]
    ).encode()


def from_json(raw: bytes) -> Snapshot:
    """Return what `to_json` wrote.

    Raises:
        ValueError: It is something else.
    """
    try:
        return tuple(_read_family(*row) for row in json.loads(raw))
    except (TypeError, KeyError) as error:
        raise ValueError("not a snapshot") from error


class _Fixed(Collector):
    """A snapshot as the client library wants it for writing."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        for family in self._snapshot:
            metric = Metric(family.name, family.about, family.kind)
            for sample in family.samples:
                metric.add_sample(sample.name, dict(sample.labels), sample.value)
            yield metric


def _family(metric: Metric) -> Family:
    return Family(
        name=metric.name,
        kind=metric.type,
        about=metric.documentation,
        samples=tuple(
            Sample(name=sample.name, labels=_labels(sample.labels), value=sample.value)
            for sample in metric.samples
            if sample.name != metric.name + _CREATED
        ),
    )


def _labels(labels: dict[str, str]) -> Labels:
    return tuple((name, _edge(value) if name == "le" else value) for name, value in labels.items())


def _edge(text: str) -> str:
    """Return a bucket's edge as Go writes it: `1` and not `1.0`."""
    return text.removesuffix(".0")


def _samples(values: dict[tuple[str, Labels], float]) -> Iterable[Sample]:
    return (Sample(name=name, labels=labels, value=value) for (name, labels), value in values.items())


def _read_family(name: str, kind: str, about: str, rows: list[Any]) -> Family:
    samples = tuple(
        Sample(name=str(sample), labels=tuple((str(n), str(v)) for n, v in labels), value=float(value))
        for sample, labels, value in rows
    )
    return Family(name=str(name), kind=str(kind), about=str(about), samples=samples)
