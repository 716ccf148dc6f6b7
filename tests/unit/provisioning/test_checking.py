"""A manifest file is judged offline: everything wrong is named, at its line and column of the file."""

import pytest

from sealmesh.errors.manifest import ManifestError, YamlError
from sealmesh.provisioning import check_source

GOOD = """\
Packages:
  oven: {UniqueID: "cc"}
Marbles:
  baker:
    Package: oven
    Parameters: {Env: {K: "{{ hex .Secrets.k }}"}}
Secrets:
  k: {Type: symmetric-key, Size: 128}
"""
BROKEN = """\
Packages:
  oven: {SignerID: "cc", ProductID: -1, SecurityVersion: 3}
Marbles:
  baker:
    Package: ovn
    MaxActivation: 3
    Parameters:
      Env: &env
        GOOD: "{{ hex .Secrets.k }}"
        OPEN: "{{ hex .Secrets.k }"
        UNKNOWN: "{{ nope }}"
  other:
    Package: oven
    Parameters:
      Env:
        <<: *env
  third:
    Package: oven
    TLS: [none, nothing]
Secrets:
  k:
    Type: symmetric-key
    Size: 7
"""
TEMPLATES = (
    '{"Packages": {"oven": {"UniqueID": "aa"}},\n "Marbles": {"baker": {"Package": "oven",\n'
    '  "Parameters": {"Env": {\n   "A": "{{ hex .Secrets.k }",\n   "B": "{{ hex .Secrets.gone }}",\n'
    '   "C": "{{ \\"\\\\x00\\" }}"},\n   "Files": {"/x": "{{ 1 | 2 }}"}}}},\n'
    ' "Secrets": {"c": {"Type": "cert-ed25519", "Cert": {"Subject": {"Country": ["DE"]}}}}}'
)


def places(source: str) -> set[str]:
    with pytest.raises(ManifestError) as refused:
        check_source(source.encode())
    return {f"{item.line}:{item.column} {item.code}" for item in refused.value.violations}


def test_a_good_file_gives_the_manifest_and_the_bytes_to_send():
    checked = check_source(GOOD.encode())
    assert set(checked.manifest.marbles) == {"baker"}
    assert checked.raw.startswith(b'{"Marbles":{"baker":')


def test_violations_of_yaml_have_the_lines_of_the_yaml_also_behind_a_merge():
    assert places(BROKEN) == {
        "2:37 manifest.out-of-range",
        "5:14 manifest.marble.unknown-package",
        "6:20 manifest.unknown-key",
        "10:15 template-syntax",
        "11:18 template-syntax",
        "19:11 manifest.marble.unknown-tls-tag",
        "19:17 manifest.marble.unknown-tls-tag",
        "23:11 manifest.secret.bad-size",
    }


def test_a_merged_mapping_counts_for_each_marble_that_has_it():
    with pytest.raises(ManifestError) as refused:
        check_source(BROKEN.encode())
    paths = [item.path for item in refused.value.violations if item.code == "template-syntax"]
    assert sorted(paths) == sorted(
        f"Marbles.{marble}.Parameters.Env['{name}']"
        for marble in ("baker", "other")
        for name in ("OPEN", "UNKNOWN")
    )


def test_every_template_is_tried_and_each_failure_is_named():
    assert places(TEMPLATES) == {
        "4:9 template-syntax",
        "5:9 template-execution",
        "6:9 environment-nul",
        "7:20 template-syntax",
    }


def test_where_a_rule_is_broken_only_the_syntax_of_templates_counts():
    assert places(TEMPLATES.replace("DE", "DEU")) == {
        "4:9 template-syntax",
        "7:20 template-syntax",
        "8:77 manifest.secret.bad-certificate-field",
    }


@pytest.mark.parametrize(
    ("source", "place"),
    [
        (b"a: [1\nb: {", (2, 2)),
        (b"a: 1\n\xc3\xa4: \xff", (2, 4)),
        (b"a: 1\na: 2", (2, 1)),
        (b"[]\n\t", (2, 1)),
    ],
)
def test_a_file_that_is_not_yaml_names_the_place(source, place):
    with pytest.raises(YamlError) as refused:
        check_source(source)
    assert (refused.value.line, refused.value.column) == place


@pytest.mark.parametrize("source", [b"", b"# nothing", b"- a", b"text", b"{", b'{"a":\n}'])
def test_a_file_that_is_no_manifest_is_refused(source):
    with pytest.raises(ManifestError):
        check_source(source)
