"""Files, environment, arguments: what reaches a Marble, and what refuses to."""

import pytest

from sealmesh.errors.provisioning import SecretNotGenerated, TemplateProblem, TemplateRefused
from sealmesh.manifest import CertificateTemplate, Parameter, SecretDefinition, SecretType, SubjectTemplate
from sealmesh.provisioning import (
    RESERVED_VARIABLES,
    compile_parameters,
    placeholder,
    render_parameters,
    try_templates,
)
from sealmesh.provisioning.rendering import MAX_PARAMETERS


class Forbidding(dict):
    """A mapping that fails a test when a secret is looked up that nobody needs."""

    def __init__(self, allowed, secret):
        super().__init__(dict.fromkeys(allowed, secret))
        self.looked_up = []

    def __getitem__(self, name):
        self.looked_up.append(name)
        return super().__getitem__(name)


def rendered(manifest, special, secrets=None, *, ttls=None, previous=None):
    values = (
        {name: placeholder(item) for name, item in manifest.secrets.items()} if secrets is None else secrets
    )
    marble = compile_parameters(manifest).marble("baker")
    return render_parameters(
        marble, secrets=values, previous=values if previous is None else previous, special=special, ttls=ttls
    )


def test_arguments_go_through_as_they_are(make_manifest, special):
    argv = ("a b", "", "{{ x", "ü")
    assert rendered(make_manifest(argv=argv), special).argv == argv


def test_without_parameters_there_are_the_predefined_variables_only(make_manifest, special):
    result = rendered(make_manifest(), special)
    assert result.files == {}
    assert result.env.keys() == RESERVED_VARIABLES


def test_predefined_variables_win_over_the_manifest(make_manifest, special):
    result = rendered(make_manifest(env=dict.fromkeys(RESERVED_VARIABLES, "mine") | {"PATH": "/x"}), special)
    assert result.env["PATH"] == b"/x"
    assert b"mine" not in result.env.values()
    assert result.env["MARBLE_PREDEFINED_MARBLE_CERTIFICATE_CHAIN"].count(b"BEGIN CERTIFICATE") == 2


def test_ttls_document_replaces_the_manifests_entry_only_where_there_is_one(make_manifest, special):
    manifest = make_manifest(env={"MARBLE_TTLS_CONFIG": "mine"})
    assert rendered(manifest, special).env["MARBLE_TTLS_CONFIG"] == b"mine"
    assert rendered(manifest, special, ttls=b"{}").env["MARBLE_TTLS_CONFIG"] == b"{}"


def test_marble_with_its_own_key_gets_no_private_key(make_manifest, own_special):
    manifest = make_manifest(env={"MARBLE_PREDEFINED_PRIVATE_KEY": "mine"})
    result = rendered(manifest, own_special)
    assert result.env.keys() == RESERVED_VARIABLES - {"MARBLE_PREDEFINED_PRIVATE_KEY"}
    with pytest.raises(TemplateRefused, match="empty"):
        rendered(make_manifest(files={"key": "{{ pem .MarbleRun.MarbleCert.Private }}"}), own_special)


def test_parameters_without_templates_go_through_as_they_are(make_manifest, special):
    everything = bytes(range(256))
    manifest = make_manifest(
        files={"bin": Parameter(data=b"{{" + everything, no_templates=True), "b": everything}
    )
    assert rendered(manifest, special).files == {"bin": b"{{" + everything, "b": everything}


def test_bytes_around_an_action_survive(make_manifest, special):
    manifest = make_manifest(files={"f": b"\x80\xff{{ `b` }}\xfe\x00"})
    assert rendered(manifest, special).files == {"f": b"\x80\xffb\xfe\x00"}


def test_variable_that_would_hold_a_nul_is_refused(make_manifest, special):
    manifest = make_manifest(env={"E": '{{ "a\\x00b" }}'})
    with pytest.raises(TemplateRefused) as caught:
        rendered(manifest, special)
    assert (caught.value.code, caught.value.name) == (TemplateProblem.NUL, "E")


def test_secret_that_no_template_uses_is_never_looked_up(make_manifest, special, definitions):
    manifest = make_manifest(files={"f": "{{ hex .Secrets.k }}"}, env={"V": "x"})
    marble = compile_parameters(manifest).marble("baker")
    assert marble.needed == {"k"}
    secrets = Forbidding(["k"], placeholder(definitions["k"]))
    render_parameters(marble, secrets=secrets, previous=Forbidding([], None), special=special)
    assert secrets.looked_up == ["k"]


def test_previous_values_are_their_own(make_manifest, special, definitions):
    manifest = make_manifest(files={"f": "{{ hex .Secrets.k }} {{ hex .Previous.Secrets.k }}"})
    old = placeholder(definitions["pin"])
    new = type(old).of(definitions["k"], private=b"\1" * 16)
    result = rendered(manifest, special, {"k": new}, previous={"k": old})
    assert result.files["f"] == b"\1".hex().encode() * 16 + b" " + b"P".hex().encode() * 16


def test_more_than_a_message_holds_is_refused_with_the_largest_named(make_manifest, special):
    big = Parameter(data=b"x" * MAX_PARAMETERS, no_templates=True)
    with pytest.raises(TemplateRefused) as caught:
        rendered(make_manifest(files={"small": "x", "big": big}), special)
    assert (caught.value.code, caught.value.name) == (TemplateProblem.TOO_LARGE, "big")


def test_many_parameters_that_are_too_much_together_are_refused(make_manifest, special):
    half = Parameter(data=b"x" * (MAX_PARAMETERS // 2), no_templates=True)
    with pytest.raises(TemplateRefused) as caught:
        rendered(make_manifest(files={"a": half}, env={"b": half}), special)
    assert caught.value.code == TemplateProblem.TOO_LARGE


@pytest.mark.parametrize(
    ("template", "line", "column", "code"),
    [
        ("x\n  {{ nope }}", 2, 6, TemplateProblem.SYNTAX),
        ("é{{ .Nope }}", 1, 5, TemplateProblem.EXECUTION),
        ("a\nb\n{{ if true }}", 3, 14, TemplateProblem.SYNTAX),
        ('\n{{ define "x" }}{{ len 5 }}{{ end }}{{ template "x" }}', 2, 20, TemplateProblem.EXECUTION),
        ("{{ range 100000000 }}{{ end }}", 1, 4, TemplateProblem.LIMIT),
    ],
)
def test_trial_names_marble_parameter_line_and_column(make_manifest, template, line, column, code):
    with pytest.raises(TemplateRefused) as caught:
        try_templates(make_manifest(files={"/etc/motd": template}))
    error = caught.value
    assert (error.marble, error.place, error.name) == ("baker", "Files", "/etc/motd")
    assert (error.line, error.column, error.code) == (line, column, code)
    assert f"Marbles.baker.Parameters.Files['/etc/motd'], line {line}, column {column}" in str(error)


def test_trial_sees_what_certificates_will_say(make_manifest):
    subject = SubjectTemplate(common_name="Kuchen", country=("DE",))
    certificate = CertificateTemplate(dns_names=("a.example", "b.example"), subject=subject)
    definition = SecretDefinition(type=SecretType.CERT_ED25519, certificate=certificate)
    template = (
        "{{ if ne (index .Secrets.c.Cert.DNSNames 1) `b.example` }}{{ nil }}{{ end }}"
        "{{ if ne (print .Secrets.c.Cert.Subject) `CN=Kuchen,C=DE` }}{{ nil }}{{ end }}"
        "{{ .Secrets.c.Cert.NotAfter.Unix }}"
    )
    try_templates(make_manifest(files={"f": template}, secrets={"c": definition}))


def test_trial_refuses_a_certificate_that_cannot_be_written(make_manifest):
    template = CertificateTemplate(subject=SubjectTemplate(country=("Deutschland",)))
    definition = SecretDefinition(type=SecretType.CERT_ED25519, certificate=template)
    with pytest.raises(SecretNotGenerated, match="`c`"):
        try_templates(make_manifest(secrets={"c": definition}))


def test_trial_leaves_parsed_templates_behind(make_manifest, special, definitions):
    manifest = make_manifest(files={"f": "{{ hex .Secrets.k }}"})
    compiled = try_templates(manifest)
    assert compiled.marble("baker") is compiled.marble("baker")
    with pytest.raises(KeyError):
        compiled.marble("nobody")


def test_error_of_a_template_does_not_show_the_secret(make_manifest, special, definitions):
    secret = type(placeholder(definitions["word"])).of(definitions["word"], private=b"sesame\0")
    for place, template in (
        ("env", "{{ string .Secrets.word }}"),
        ("files", "{{ hex (raw .Secrets.word) }}"),
    ):
        with pytest.raises(TemplateRefused) as caught:
            rendered(make_manifest(**{place: {"x": template}}), special, {"word": secret})
        assert "sesame" not in str(caught.value)


WHOLE = [
    "{{ .Secrets.k }}",
    "{{ .Secrets }}",
    "{{ . }}",
    "{{ .Secrets.front.Cert }}",
    "{{ printf `%v` .MarbleRun }}",
]


@pytest.mark.parametrize("template", WHOLE)
def test_nothing_that_holds_a_secret_is_printed_by_accident(make_manifest, special, template):
    with pytest.raises(TemplateRefused, match="cannot be printed"):
        rendered(make_manifest(files={"f": template}), special)
