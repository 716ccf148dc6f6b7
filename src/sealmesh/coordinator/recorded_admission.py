"""An admission as the ledger has it, found again.

The ledger is where admissions are kept, so an Attestation Result needs no store of its own: nothing more is
written when a Marble comes in, every worker finds the same, and a restart changes nothing. Looking is bounded
by the newest `MOST_LEAVES`, and ends at the last change of manifest or packages: what was admitted before has
no valid certificate any more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sealmesh.attestation.results import (
    Facts,
    Submodule,
    labels_of,
    machine_findings,
    read_trust_text,
    status_of,
)
from sealmesh.errors.coordinator import StateCorrupt
from sealmesh.errors.ledger import StatementError
from sealmesh.errors.results import ResultUnknown
from sealmesh.ledger.canonical import Json, parse_json

MOST_LEAVES = 8192
"""Admissions, renewals and everything else that is in the ledger."""

# Leaves are canonical JSON, so that `act` comes first, and nothing that somebody chose can come before it.
_ADMISSIONS = (b'{"act":"marble-admitted",', b'{"act":"marble-renewed",')
_CHANGES = (b'{"act":"manifest-set",', b'{"act":"manifest-updated",', b'{"act":"packages-updated",')
#: Of a verdict: what the result says in its own words. The rest is what the Evidence says.
_OWN = frozenset({"evidence", "family", "root", "simulation", "tcb", "expires", "advisories", "trust"})


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedAdmission:
    """The last admission of a Marble, or the one that gave it a certificate (SHA-256 of its DER, hex)."""

    marble_type: str
    uuid: str
    certificate: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAdmission:
    """An admission or renewal.

    Attributes:
        appraised: When it was decided.
        certificate: SHA-256 of what the Marble got, hex.
        not_after: When that certificate ends.
        verdict: What was found of the Evidence; flat.
    """

    marble_type: str
    uuid: str
    package: str
    appraised: datetime
    certificate: str
    not_after: datetime
    verdict: Mapping[str, str | int | bool]

    @property
    def expires(self) -> datetime:
        """When the collateral that was used ends."""
        return _moment(str(self.verdict["expires"]))

    def submodules(self, policy: str, findings: Facts) -> dict[str, Submodule]:
        """Return what was found, one submodule for each part of the Evidence.

        Args:
            policy: What it was appraised by.
            findings: What the verifier adds to each.

        Raises:
            ResultUnknown: It was admitted without Evidence, or by a version that did not record enough.
        """
        parts = _parts(self.verdict)
        if not parts or not all("trust" in part and "expires" in part for part in parts):
            raise ResultUnknown(
                "nothing was found of the Evidence of this admission that could be stated",
                code="result-without-evidence",
                found=", ".join(sorted(self.verdict)),
            )
        labels = labels_of([str(part["family"]) for part in parts])
        return {label: _submodule(part, policy, findings) for label, part in zip(labels, parts, strict=True)}


def find_admission(leaves: Iterable[bytes], wanted: WantedAdmission) -> RecordedAdmission:
    """Return the newest admission that is the wanted one.

    Args:
        leaves: Of the ledger, the newest first.
        wanted: Whose.

    Raises:
        ResultUnknown: There is none since the last change of the manifest.
    """
    for leaf in leaves:
        if leaf.startswith(_CHANGES):
            break
        if leaf.startswith(_ADMISSIONS) and wanted.uuid.encode() in leaf:
            admission = _read(leaf)
            if _is(admission, wanted):
                return admission
    raise ResultUnknown(
        "no admission of this Marble is known",
        found=f"none in the newest {MOST_LEAVES} entries of the ledger, or since the last update",
        wanted=f"{wanted.marble_type} {wanted.uuid}",
    )


def _is(admission: RecordedAdmission, wanted: WantedAdmission) -> bool:
    same = (admission.marble_type, admission.uuid) == (wanted.marble_type, wanted.uuid)
    return same and wanted.certificate in (None, admission.certificate)


def _read(leaf: bytes) -> RecordedAdmission:
    try:
        document = parse_json(leaf, what="ledger's leaf")
        if not isinstance(document, Mapping) or not isinstance(verdict := document["verdict"], Mapping):
            raise ValueError("no maps")
        return RecordedAdmission(
            marble_type=str(document["marble"]),
            uuid=str(document["uuid"]),
            package=str(document["package"]),
            appraised=_moment(document["time"]),
            certificate=str(document["certificate"]),
            not_after=_moment(document["not_after"]),
            verdict={name: value for name, value in verdict.items() if isinstance(value, str | int)},
        )
    except (StatementError, KeyError, ValueError) as error:
        raise StateCorrupt("a leaf of the ledger is not as it was written") from error


def _parts(verdict: Mapping[str, str | int | bool]) -> list[dict[str, str | int | bool]]:
    """Return the verdicts on the parts of a composite, or the one there is; none without Evidence."""
    if "part0_family" not in verdict:
        return [dict(verdict)] if "family" in verdict else []
    parts: list[dict[str, str | int | bool]] = []
    while f"part{len(parts)}_family" in verdict:
        prefix = f"part{len(parts)}_"
        parts.append({
            name.removeprefix(prefix): value for name, value in verdict.items() if name.startswith(prefix)
        })  # fmt: skip
    return parts


def _submodule(part: Mapping[str, str | int | bool], policy: str, findings: Facts) -> Submodule:
    vector = read_trust_text(str(part["trust"]))
    return Submodule(
        status=status_of(vector),
        vector=vector,
        policies=(policy,),
        attester_claims={name: value for name, value in part.items() if name not in _OWN},
        verifier_claims={
            **findings,
            **machine_findings(
                evidence_sha256=str(part["evidence"]),
                trust_root=str(part["root"]),
                simulated=part["simulation"] is not False,
                tcb_status=str(part["tcb"]),
                advisories=tuple(str(part.get("advisories", "")).split()),
            ),
        },
    )


def _moment(text: Json) -> datetime:
    return datetime.strptime(str(text), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
