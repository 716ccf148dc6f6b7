"""The recorded cases of the contract: what MarbleRun refuses is refused, what it accepts is accepted.

Source: ../shared/compat/scenarios/b_manifest.py, whose outcomes stand in golden/manifest_refused.json
and golden/manifest_accepted.json.
"""

import importlib
import json
import sys
from pathlib import Path

import pytest

from sealmesh.errors.manifest import ManifestError
from sealmesh.manifest import fingerprint, parse_manifest, yaml_to_json

COMPAT = Path(__file__).resolve().parents[3] / ".." / "shared" / "compat"
STRICTER = {
    "RSA 1024": ["manifest.secret.weak-rsa"],
    "unknown keys": ["manifest.unknown-key"] * 3,
    "infrastructures": ["manifest.infrastructure.bad-value"] * 2,
}


def _scenarios(name: str):
    if not COMPAT.exists():
        return None
    added = [str(COMPAT), str(COMPAT / "scenarios")]
    sys.path[:0] = added
    try:
        return importlib.import_module(name)
    except ImportError:
        return None
    finally:
        for path in added:
            sys.path.remove(path)


CASES = _scenarios("b_manifest")
REPLAY = sys.modules.get("replay")
needs_cases = pytest.mark.skipif(CASES is None, reason="shared/ is absent")


def _raw(case) -> bytes:
    base, changes = case
    return REPLAY.raw(REPLAY.manifest(base, changes))


def _names(which: str) -> list[str]:
    return sorted(getattr(CASES, which)) if CASES else []


def _statuses(golden: str) -> dict[str, int]:
    steps = json.loads((COMPAT / "golden" / golden).read_text())["steps"]
    return {step["name"]: step["result"]["status"] for step in steps if step["kind"] == "rest"}


@needs_cases
@pytest.mark.parametrize("lenient", [True, False])
@pytest.mark.parametrize("name", _names("REFUSED"))
def test_what_the_reference_refuses_is_refused(name, lenient):
    assert _statuses("manifest_refused.json")[name] == 500
    with pytest.raises(ManifestError) as caught:
        parse_manifest(_raw(CASES.REFUSED[name]), lenient=lenient)
    assert all(violation.line > 0 and violation.message for violation in caught.value.violations)


@needs_cases
@pytest.mark.parametrize("name", _names("ACCEPTED"))
def test_what_the_reference_accepts_is_accepted_leniently(name):
    assert _statuses("manifest_accepted.json")[name] == 200
    parse_manifest(_raw(CASES.ACCEPTED[name]), lenient=True)


@needs_cases
@pytest.mark.parametrize("name", _names("ACCEPTED"))
def test_strict_parsing_refuses_three_of_them_on_purpose(name):
    if name not in STRICTER:
        parse_manifest(_raw(CASES.ACCEPTED[name]))
        return
    with pytest.raises(ManifestError) as caught:
        parse_manifest(_raw(CASES.ACCEPTED[name]))
    assert [violation.code for violation in caught.value.violations] == STRICTER[name]


@needs_cases
def test_repeated_maps_merge_leniently_and_are_refused_strictly():
    assert set(parse_manifest(CASES.DUPLICATE, lenient=True).marbles) == {"a", "b"}
    with pytest.raises(ManifestError) as caught:
        parse_manifest(CASES.DUPLICATE)
    assert caught.value.code == "manifest.duplicate-key"


@needs_cases
@pytest.mark.parametrize("name", ["bakery", "guild", "minimal"])
def test_the_recorded_manifests_are_accepted_strictly(name):
    parse_manifest(REPLAY.raw(REPLAY.manifest(name)))


@needs_cases
def test_every_recorded_certificate_template_is_accepted_strictly():
    secrets = _scenarios("c_activate").CERTS
    manifest = parse_manifest(REPLAY.raw(REPLAY.manifest("minimal", {"Secrets": secrets})))
    assert manifest.secrets["uri"].certificate.uris == ("spiffe://td.example/x",)
    assert manifest.secrets["nodns"].certificate.dns_names == ()
    assert manifest.secrets["ips"].certificate.dns_names is None
    assert manifest.secrets["lower"].certificate.subject.common_name == "low"


@needs_cases
def test_a_yaml_manifest_has_the_recorded_fingerprint():
    yaml = _scenarios("i_cli").YAML.encode()
    golden = json.loads((COMPAT / "golden" / "cli" / "cli_yaml.json").read_text())["steps"]
    recorded = next(step for step in golden if step["name"] == "manifest signature m.yaml")
    assert fingerprint(yaml_to_json(yaml)) == recorded["result"]["stdout"].strip()
