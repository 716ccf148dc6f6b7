"""Any manifest file, JSON or YAML, checked offline: a manifest, or violations that lie within the file."""

import copy
import json

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sealmesh.errors.manifest import ManifestError, YamlError
from sealmesh.provisioning import check_source

quick = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
GOOD = {
    "Packages": {"p": {"SignerID": "aa" * 32, "ProductID": 1, "SecurityVersion": 2}, "q": {"UniqueID": "bb"}},
    "Marbles": {
        "a": {
            "Package": "p",
            "TLS": ["t"],
            "Parameters": {
                "Files": {"/f": "{{ pem .Secrets.c.Cert }}", "/g": {"Data": "aGk=", "Encoding": "base64"}},
                "Env": {"E": "{{ hex .Secrets.k }}", "F": "{{ range 3 }}{{ . }}{{ end }}"},
                "Argv": ["a"],
            },
        },
        "b": {"Package": "q"},
    },
    "Secrets": {
        "k": {"Type": "symmetric-key", "Size": 128},
        "c": {"Type": "cert-ecdsa", "Size": 256, "Shared": True, "Cert": {"Subject": {"Country": ["DE"]}}},
    },
    "TLS": {"t": {"Outgoing": [{"Addr": "a", "Port": "2"}]}},
    "Roles": {"r": {"ResourceType": "Secrets", "ResourceNames": ["c"], "Actions": ["ReadSecret"]}},
}
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.text(max_size=12)
    | st.sampled_from(
        ["{{", "{{ . }}", "{{ hex .Secrets.k", "{{ template }}", "p", "cert-rsa", "{{ 1 | 2 }}"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def paths(value: object, path: tuple = ()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from paths(inner, (*path, key))


PATHS = list(paths(GOOD))[1:]


def judge(source: bytes) -> bool:
    """Return whether the file is a manifest; where it is not, every violation is within it."""
    try:
        checked = check_source(source)
    except (YamlError, ManifestError) as error:
        refusal = error
    else:
        assert json.loads(checked.raw) is not None
        return True
    lines = source.decode("utf-8", "replace").split("\n")
    if isinstance(refusal, YamlError):
        assert 1 <= refusal.line <= len(lines) + 1  # a fault may be found behind the last line
        return False
    for violation in refusal.violations:
        assert violation.line <= len(lines)
        assert not violation.line or 1 <= violation.column <= len(lines[violation.line - 1]) + 1
    return False


@pytest.mark.parametrize("write", [json.dumps, yaml.safe_dump])
def test_the_manifest_that_is_changed_here_is_good(write) -> None:
    assert judge(write(GOOD).encode())


@quick
@given(st.binary(max_size=200))
@example(b"")
@example(b"\xef\xbb\xbf{}")
@example(b"&a [*a]")
@example(b"--- {}\n--- {}")
@example(b"Packages: !!binary x")
def test_any_bytes_are_a_manifest_or_refused(source: bytes) -> None:
    judge(source)


@quick
@given(st.sampled_from(PATHS), VALUES, st.sampled_from(["json", "indented", "yaml", "flow"]))
def test_any_value_anywhere_is_a_manifest_or_refused_in_its_place(path, value, form: str) -> None:
    document = copy.deepcopy(GOOD)
    at = document
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = value
    match form:
        case "json":
            source = json.dumps(document, ensure_ascii=False)
        case "indented":
            source = json.dumps(document, indent=1)
        case "yaml":
            source = yaml.safe_dump(document, allow_unicode=True)
        case _:
            source = yaml.safe_dump(document, default_flow_style=True)
    judge(source.encode("utf-8", "surrogatepass"))
