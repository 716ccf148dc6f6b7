"""Accepted forms of Evidence in a manifest: anything gives a manifest or violations, never a crash."""

import json
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealmesh.errors.manifest import ManifestError
from sealmesh.manifest import parse_manifest
from sealmesh.manifest.evidence_shapes import EVIDENCE_SHAPES

quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = sorted({name for shape in EVIDENCE_SHAPES for name in shape.fields} | {"0", "7", "99", "snp", "x"})
HEX = [st.binary(min_size=length, max_size=length).map(bytes.hex) for length in (0, 8, 32, 48, 64)]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.one_of(HEX),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=16,
)


@quick
@given(evidence=values)
def test_any_value_gives_a_manifest_or_violations(evidence: Any) -> None:
    document = {
        "Packages": {"p": {"Evidence": evidence}},
        "Marbles": {"m": {"Package": "p"}},
        "Config": {"FeatureGates": ["Evidence"]},
    }
    with suppress(ManifestError):
        manifest = parse_manifest(json.dumps(document).encode())
        forms = manifest.packages["p"].evidence
        assert forms is None or (forms and not any(form.is_empty for form in forms))


@quick
@given(data=st.data())
def test_families_with_any_values_give_a_manifest_or_violations(data: st.DataObject) -> None:
    family = data.draw(st.sampled_from(["SGX", "TDX", "SNP", "Nitro", "TPM", "Azure", "CCA", "GPU"]))
    (shape,) = (shape for shape in EVIDENCE_SHAPES if shape.name == f"{family}Evidence")
    fields = data.draw(st.dictionaries(st.sampled_from(sorted(shape.fields)), values, max_size=5))
    document = {
        "Packages": {"p": {"Evidence": [{family: fields}]}},
        "Marbles": {"m": {"Package": "p"}},
        "Config": {"FeatureGates": ["Evidence"]},
    }
    with suppress(ManifestError):
        forms = parse_manifest(json.dumps(document).encode()).packages["p"].evidence
        assert forms
        assert not any(form.is_empty for form in forms)
