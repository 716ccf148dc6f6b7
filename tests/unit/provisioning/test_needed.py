"""Which secrets a template can look at."""

import pytest

from sealmesh.manifest import Incoming, Parameter, TlsTag
from sealmesh.provisioning import needed_secrets

EVERYTHING = {"k", "own", "word", "pin", "front", "shop"}
CASES = [
    ("plain", set()),
    ("{{ .MarbleRun.RootCA.Cert.Subject }}", set()),
    ("{{ hex .Secrets.k }}", {"k"}),
    ("{{ hex .Secrets.missing }}", set()),
    ("{{ hex .Previous.Secrets.k }}{{ raw .Secrets.word }}", {"k", "word"}),
    ("{{ hex .SecretsWrapper.Secrets.k }}", {"k"}),
    ("{{ with 1 }}{{ hex $.Secrets.k }}{{ end }}", {"k"}),
    ('{{ hex (index .Secrets "k") }}', {"k"}),
    ('{{ hex (index $.Previous.Secrets "k").Public }}', {"k"}),
    ('{{ $x := index .Secrets "k" }}{{ hex $x }}', {"k"}),
    ("{{ with .Previous }}{{ hex .Secrets.k }}{{ end }}", {"k"}),
    ("{{ with $p := .Previous }}{{ hex $p.Secrets.k }}{{ end }}", EVERYTHING),
    ("{{ with . }}{{ hex .Secrets.k }}{{ end }}", {"k"}),
    ('{{ define "T" }}{{ hex .Secrets.own }}{{ end }}{{ template "T" . }}', {"own"}),
    ('{{ define "T" }}{{ hex .Secrets.own }}{{ end }}{{ 1 }}', {"own"}),
    ('{{ define "T" }}{{ hex .Secrets.own }}{{ end }}nobody calls it', set()),
    ('{{ block "B" $ }}{{ hex .Secrets.own }}{{ end }}', {"own"}),
    ('{{ define "T" }}{{ hex .own }}{{ end }}{{ template "T" .Secrets }}', EVERYTHING),
    ("{{ with .Secrets }}{{ hex .k }}{{ end }}", EVERYTHING),
    ("{{ with .Secrets.k }}{{ hex .Public }}{{ end }}", {"k"}),
    (
        "{{ if .Secrets.k }}{{ else if .Secrets.own }}{{ else }}{{ .Secrets.word.Size }}{{ end }}",
        {"k", "own", "word"},
    ),
    ("{{ range $n, $s := .Secrets }}{{ $n }}{{ end }}", EVERYTHING),
    ("{{ range .Secrets }}{{ .Type }}{{ end }}", EVERYTHING),
    ("{{ range 3 }}{{ else }}{{ hex .Secrets.k }}{{ end }}", {"k"}),
    ("{{ len .Secrets }}", EVERYTHING),
    ('{{ index .Secrets (print "k") }}', EVERYTHING),
    ('{{ "k" | index .Secrets }}', EVERYTHING),
    ("{{ $x := . }}{{ hex $x.Secrets.k }}", EVERYTHING),
    ("{{ $x := $ }}{{ hex $x.Secrets.k }}", EVERYTHING),
    ("{{ (and . .).Secrets.k.Size }}", EVERYTHING),
    ("{{ (.Previous).Secrets.k.Size }}", {"k"}),
    ("{{ ($).Secrets.k.Size }}", {"k"}),
    ("{{ printf `%v` .Previous }}", EVERYTHING),
    ("{{ or .Missing .SecretsWrapper }}", EVERYTHING),
    ("{{ with or .SecretsWrapper 1 }}{{ .Secrets.k.Size }}{{ end }}", EVERYTHING),
]


@pytest.mark.parametrize(("template", "wanted"), CASES)
def test_needed_secrets_are_known_before_rendering(make_manifest, template, wanted):
    assert needed_secrets(make_manifest(files={"f": template}), "baker") == wanted


def test_certificate_that_a_tls_tag_shows_is_needed(make_manifest):
    tag = TlsTag(incoming=(Incoming(port="9443", cert="front", disable_client_auth=True), Incoming(port="1")))
    assert needed_secrets(make_manifest(tls={"web": tag}), "baker") == {"front"}


def test_template_that_is_switched_off_needs_nothing(make_manifest):
    parameter = Parameter(data=b"{{ hex .Secrets.k }}", no_templates=True)
    assert needed_secrets(make_manifest(files={"f": parameter}), "baker") == set()
