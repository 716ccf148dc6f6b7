"""Evidence that was judged, as submodules of an EAR: one for each Attester.

The labels are the families' names; of several of one family in a composite the later ones get a number, in
the order of the parts: `snp`, `tpm`, `gpu`, `gpu-2`.
"""

import re
from collections.abc import Iterator, Sequence
from hashlib import sha256

from sealmesh.attestation.evidence import (
    CompositeClaims,
    CompositeEvidence,
    UnverifiedEvidence,
    VerifiedEvidence,
)
from sealmesh.attestation.family import Family
from sealmesh.attestation.measurements import measurements_of
from sealmesh.attestation.results.ear import Facts, Submodule
from sealmesh.attestation.results.judging import judge, judge_failed
from sealmesh.attestation.results.trust import TrustVector, status_of
from sealmesh.errors import SealmeshError
from sealmesh.errors.attestation import Mismatch

#: `Evidence[n].` of several alternatives, `AllOf[n].` of a composite.
_ALTERNATIVE = re.compile(r"Evidence\[\d+\]\.")
_PART = re.compile(r"AllOf\[(\d+)\]\.")
_MOST_MISMATCHES = 64
_LONGEST_FACT = 512


def submodules_of(
    verified: VerifiedEvidence,
    *,
    appraised: bool,
    recognized: bool = False,
    refused: Sequence[Mismatch] = (),
    policies: tuple[str, ...] = (),
) -> dict[str, Submodule]:
    """Return what is said about genuine Evidence.

    Args:
        verified: From `verify`.
        appraised: Whether it was compared with Reference Values.
        recognized: Whether the machine was one of those that were wanted.
        refused: From `AppraisalError`; all of them.
        policies: What it was appraised by.
    """
    parts = verified.claims.parts if isinstance(verified.claims, CompositeClaims) else (verified,)
    labels = labels_of([part.family for part in parts])
    return {
        label: _submodule(
            part,
            judge(
                part,
                appraised=appraised,
                recognized=recognized,
                refused=[_PART.sub("", _field(item)) for item in _about(number, refused)],
            ),
            refused=list(_about(number, refused)),
            policies=policies,
        )
        for number, (label, part) in enumerate(zip(labels, parts, strict=True))
    }


def submodules_of_failed(evidence: UnverifiedEvidence, reason: SealmeshError) -> dict[str, Submodule]:
    """Return what is said about Evidence that did not verify: what it claims to be, and why it is not."""
    quote = evidence.quote
    parts = quote.parts if isinstance(quote, CompositeEvidence) else (evidence,)
    vector = judge_failed()
    return {
        label: Submodule(
            status=status_of(vector),
            vector=vector,
            verifier_claims={
                "evidence_sha256": sha256(part.raw).hexdigest(),
                "refusal": str(reason)[:_LONGEST_FACT],
                "refusal_code": reason.code,
            },
        )
        for label, part in zip(labels_of([part.family for part in parts]), parts, strict=True)
    }


def labels_of(families: Sequence[Family | str]) -> list[str]:
    """Return the labels of Attesters of these families, in their order."""
    labels: list[str] = []
    for number, family in enumerate(families):
        before = list(families[:number]).count(family)
        labels.append(f"{family}-{before + 1}" if before else str(family))
    return labels


def machine_findings(
    *,
    evidence_sha256: str,
    trust_root: str,
    simulated: bool,
    tcb_status: str,
    advisories: tuple[str, ...],
) -> Facts:
    """Return the verifier's findings about the machine of genuine Evidence of one family."""
    return {
        "evidence_sha256": evidence_sha256,
        "trust_root": trust_root,
        "simulated": simulated,
        "tcb_status": tcb_status,
        **({"advisories": advisories} if advisories else {}),
    }


def _submodule(
    verified: VerifiedEvidence,
    vector: TrustVector,
    *,
    refused: Sequence[Mismatch],
    policies: tuple[str, ...],
) -> Submodule:
    assert not isinstance(verified.claims, CompositeClaims)
    mismatches = tuple(str(item)[:_LONGEST_FACT] for item in refused[:_MOST_MISMATCHES])
    return Submodule(
        status=status_of(vector),
        vector=vector,
        policies=policies,
        attester_claims=measurements_of(verified.claims),
        verifier_claims={
            **machine_findings(
                evidence_sha256=sha256(verified.raw).hexdigest(),
                trust_root=verified.root.name,
                simulated=verified.root.simulated,
                tcb_status=verified.tcb.status.value,
                advisories=verified.tcb.advisories,
            ),
            **({"mismatches": mismatches} if mismatches else {}),
        },
    )


def _about(part: int, refused: Sequence[Mismatch]) -> Iterator[Mismatch]:
    """Yield the mismatches that concern this part: its own, and those of the whole."""
    for mismatch in refused:
        found = _PART.match(_field(mismatch))
        if found is None or int(found.group(1)) == part:
            yield mismatch


def _field(mismatch: Mismatch) -> str:
    return _ALTERNATIVE.sub("", mismatch.field, count=1)
