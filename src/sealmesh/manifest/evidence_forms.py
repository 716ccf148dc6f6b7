"""The list of accepted forms of Evidence outside a manifest: relying parties name Coordinators by it too."""

import json
from collections.abc import Sequence

from sealmesh.attestation import Reference
from sealmesh.errors.manifest import ManifestError
from sealmesh.manifest.evidence_shapes import FORMS
from sealmesh.manifest.model import FeatureGate
from sealmesh.manifest.parsing import read_json
from sealmesh.manifest.reading.evidence import read_evidence
from sealmesh.manifest.reading.view import Reading, View
from sealmesh.manifest.report import Report


def parse_evidence_forms(forms: Sequence[object]) -> tuple[Reference, ...]:
    """Return the alternatives of `forms`, read as `Packages.<name>.Evidence` of a manifest is.

    Args:
        forms: The list as `json.loads` gives it.

    Raises:
        ManifestError: `violations` has everything that is wrong; their paths begin with `Evidence`.
    """
    root, text = read_json(json.dumps({"Evidence": forms}).encode(), lenient=False)
    reading = Reading(Report(text, root), lenient=False)
    reading.gates = frozenset({FeatureGate.EVIDENCE})
    found = read_evidence(reading, View(reading, root, (), FORMS))
    violations = reading.report.violations()
    if violations or not found:
        raise ManifestError(violations)
    return found
