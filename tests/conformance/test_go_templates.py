"""COMPAT section 16: every recorded template, its output, and every refusal.

The rows come from the contract where it lies beside the repository, and from the table here, written by hand,
where it does not. Placeholders in the contract ("hex of 16 bytes") are checked by shape.
"""

import base64
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from cryptography import x509

from sealmesh.adapters.keys import OsKeyFactory
from sealmesh.errors.provisioning import TemplateRefused
from sealmesh.manifest import Manifest, Marble, Parameter, Parameters, SecretDefinition, SecretType
from sealmesh.pki import MARBLERUN_NAMES, Authority, issue_authority, issue_leaf
from sealmesh.pki.names import Subject
from sealmesh.provisioning import (
    MarbleRunSecrets,
    Secret,
    compile_parameters,
    generate_certificate,
    generate_shared_key,
    render_parameters,
    try_templates,
)

COMPAT = Path(__file__).resolve().parents[2] / ".." / "shared" / "compat" / "COMPAT.md"
NOW = datetime(2031, 5, 4, 12, 0, 0, tzinfo=UTC)
U = UUID("6f9619ff-8b86-4d01-b42d-00cf4fc964ff")
SECRETS = {
    "k": SecretDefinition(type=SecretType.SYMMETRIC_KEY, size=128, shared=True),
    "word": SecretDefinition(type=SecretType.PLAIN, user_defined=True),
    "blank": SecretDefinition(type=SecretType.PLAIN, user_defined=True),
    "with-dash": SecretDefinition(type=SecretType.SYMMETRIC_KEY, size=64, shared=True),
    "c": SecretDefinition(type=SecretType.CERT_ED25519, shared=True),
    "bytes": SecretDefinition(type=SecretType.PLAIN, user_defined=True),
}
UPLOADED = {"word": b"yeast <&> 'x'", "blank": b"", "bytes": bytes(range(200))}
FILES, ENV = "files", "env"

#: template, output, where it was recorded. Shapes in parentheses as in the contract.
OWN_ROWS: list[tuple[str, str, str]] = [
    ("plain text", "plain text", "both"),
    ("a {{- ` b ` -}}  c", "a b c", "both"),
    ("x {{- /* comment */ -}} y", "xy", "both"),
    ('{{ "esc \\t \\" \\u00e9 \\x41 \\101" }}', 'esc \t " é A A', "both"),
    ("{{ $a := 1 }}{{ if true }}{{ $a = 2 }}{{ end }}{{ $a }}", "2", "both"),
    ("{{ 'a' }},{{ 0x1F }},{{ 0b101 }},{{ 0o17 }},{{ 1_000 }}", "97,31,5,15,1000", "both"),
    ("{{ 1e3 }},{{ 1e30 }},{{ 1i }}", "1000,1e+30,(0+1i)", "both"),
    ('{{ (index .Secrets "with-dash").Size }}', "64", "both"),
    ("{{ .MarbleRun.MarbleCert.Cert.Subject.CommonName }}", str(U), "both"),
    ("{{ .MarbleRun.RootCA.Cert.Subject.CommonName }}", MARBLERUN_NAMES.intermediate, "both"),
    ("[{{ .MarbleRun.RootCA.Type }}]", "[]", "both"),
    ("{{ .Secrets.c.Cert.DNSNames }}{{ .Secrets.c.Cert.IPAddresses }}", "[localhost][127.0.0.1 ::1]", "both"),
    ("{{ .Secrets.c.Cert.Issuer }}", "CN=" + MARBLERUN_NAMES.intermediate, "both"),
    ("{{ .Secrets.c.Cert.PublicKeyAlgorithm }} {{ .Secrets.c.Cert.Version }}", "Ed25519 3", "both"),
    ("{{ .Secrets.c.Cert.SignatureAlgorithm }} {{ .Secrets.c.Cert.IsCA }}", "ECDSA-SHA384 false", "both"),
    ("{{ .Secrets.c.ValidFor }}", "365", "both"),
    ("{{ .Secrets.missing.Type }}", "<no value>", "both"),
    (
        "{{ printf `%s` .Secrets.word.Public }}{{ printf `%x` .Secrets.word.Public }}",
        "yeast <&> 'x'" + UPLOADED["word"].hex(),
        FILES,
    ),
    ("{{ .Secrets.word.Public }}", "[121 101 97 115 116 32 60 38 62 32 39 120 39]", FILES),
    ("{{ .SecretsWrapper.Secrets.k.Size }}", "128", "both"),
    ("{{ eq (hex .Secrets.k) (hex .Previous.Secrets.k) }}", "true", "both"),
    ("{{ eq 'a' 97 }}{{ eq 1 2 1 }}{{ lt `a` `B` }}", "truetruefalse", "both"),
    ("{{ html `<a href='x'>&\"</a>` }}", "&lt;a href=&#39;x&#39;&gt;&amp;&#34;&lt;/a&gt;", "both"),
    (
        '{{ js "it\'s </b> \\"q\\" \\\\ = \\n" }}',
        'it\\\'s \\u003C/b\\u003E \\"q\\" \\\\ \\u003D \\u000A',
        "both",
    ),
    ("{{ urlquery `a b&c=d/é?` }}", "a+b%26c%3Dd%2F%C3%A9%3F", "both"),
    ("{{ len .Secrets }}", "6", "both"),
    (
        "{{ range $n, $s := .Secrets }}{{ $n }}={{ $s.Type }};{{ end }}",
        "blank=plain;bytes=plain;c=cert-ed25519;k=symmetric-key;with-dash=symmetric-key;word=plain;",
        "both",
    ),
    (
        "{{ range 5 }}{{ if eq . 1 }}{{ continue }}{{ end }}{{ if gt . 2 }}{{break}}{{ end }}{{.}}{{ end }}",
        "02",
        "both",
    ),
    ("{{ with `` }}a{{ else with `z` }}{{ . }}{{ end }}", "z", "both"),
    ("{{ block `B` `d` }}[{{ . }}]{{ end }}", "[d]", "both"),
    (
        "{{ printf `%!` }}{{ printf `%d` }}{{ printf `x` 1 }}",
        "%!!(MISSING)%!d(MISSING)x%!(EXTRA int=1)",
        "both",
    ),
    ("{{ printf `%5.1f|%e|%g` 2.25 12345.678 0.00001 }}", "  2.2|1.234568e+04|1e-05", "both"),
    ("{{ println `a` 1 }}{{ print `a` 1 2 `b` }}", "a 1\na1 2b", "both"),
    ("{{ pem .Secrets.c.Cert }}", "(PEM CERTIFICATE)", "both"),
    ("{{ pem .Secrets.c.Private }}", "(PEM PRIVATE KEY)", "both"),
    ("{{ hex .Secrets.k }}", "(hex of 16 bytes)", "both"),
    ("{{ base64 .Secrets.word }}", base64.b64encode(UPLOADED["word"]).decode(), "both"),
    ("{{ string .Secrets.word }}{{ string .Secrets.word | len }}", "yeast <&> 'x'13", ENV),
    ("{{ raw .Secrets.word | html }}", "yeast &lt;&amp;&gt; &#39;x&#39;", FILES),
    ("{{ raw .Secrets.bytes }}", UPLOADED["bytes"].hex(), FILES),
]
_REFUSED_IN_FILES = """
{{
{{ }}
{{ end }}
{{ nope }}
{{ .Nope }}
{{ $x }}
{{ 'ab' }}
{{ 1a }}
{{ .Secrets.with-dash }}
{{ nil }}
{{ 1 | 2 }}
{{ len 5 }}
{{ slice `abc` 2 1 }}
{{ eq 1 1.0 }}
{{ hex .Secrets.missing }}
{{ pem .Secrets.k }}
{{ hex .Secrets.k.Type }}
{{ .Secrets.k.Equal }}
{{ hex .Secrets.k.Cert }}
{{ hex .MarbleRun.RootCA }}
{{ .Previous.MarbleRun }}
{{ template `data` . }}
{{ range nil }}{{ end }}
{{- -}}
{{ string .Secrets.word }}
{{ /* a */ }}
"""
_REFUSED_IN_ENV = """
{{ raw .Secrets.k }}
{{ string .Secrets.k }}
{{ string .Secrets.word.Public }}
{{ string nil }}
{{ string .Secrets.missing }}
{{ call .Secrets }}
{{ and }}
"""
OWN_REFUSED: list[tuple[str, str]] = [
    *[(template, FILES) for template in _REFUSED_IN_FILES.strip().splitlines()],
    *[(template, ENV) for template in _REFUSED_IN_ENV.strip().splitlines()],
]


def _unmarked(cell: str) -> str:
    """Undo the Markdown of one table cell."""
    text = cell.strip().replace("\\|", "|")
    fence = "``" if text.startswith("``") else "`"
    text = text[len(fence) : -len(fence)]
    text = text[1:-1] if fence == "``" else text
    return text.replace("⏎", "\n").replace("␍", "\r").replace("⇥", "\t")


def _contract_rows() -> list[tuple[str, str, str]]:
    if not COMPAT.exists():
        return []
    section = COMPAT.read_text().split("## 16. Templates", 1)[1].split("Refused when the manifest", 1)[0]
    rows = []
    for line in section.split("| template | output |")[1].splitlines()[2:]:
        if not line.startswith("|"):
            continue
        template, output = re.split(r"(?<!\\)\|", line.strip()[1:-1])
        where = "both"
        for mark, place in ((" (files only)", FILES), (" (env only)", ENV)):
            if output.rstrip().endswith(mark.strip()):
                where, output = place, output.rstrip()[: -len(mark.strip())]
        rows.append((_unmarked(template), "" if "(empty)" in output else _unmarked(output), where))
    return rows


def _contract_refused() -> list[tuple[str, str]]:
    if not COMPAT.exists():
        return []
    text = COMPAT.read_text().split("Refused when the manifest is set (in files, unless marked):", 1)[1]
    text = text.split("Passed at set time", 1)[0]
    found = re.findall(r"(``.*?``|`[^`]*`)( \(env\))?(?:, |\.\n)", text)
    return [(_unmarked(template), ENV if mark else FILES) for template, mark in found]


ROWS = _contract_rows()
REFUSED = _contract_refused()


def manifest(*, files: dict[str, str] | None = None, env: dict[str, str] | None = None) -> Manifest:
    parameters = Parameters(
        files={name: Parameter(data=text.encode()) for name, text in (files or {}).items()},
        env={name: Parameter(data=text.encode()) for name, text in (env or {}).items()},
    )
    return Manifest(
        packages={}, marbles={"baker": Marble(package="oven", parameters=parameters)}, secrets=SECRETS
    )


@pytest.fixture(scope="module")
def authority() -> Authority:
    return issue_authority(
        OsKeyFactory(),
        names=MARBLERUN_NAMES,
        dns_names=["localhost"],
        now=NOW,
        lifetime=timedelta(days=30),
        entropy=lambda size: b"\x07" * size,
        simulation=False,
    )


@pytest.fixture(scope="module")
def special(authority: Authority) -> MarbleRunSecrets:
    key = OsKeyFactory().ec(384)
    leaf = issue_leaf(
        authority,
        public_key=key.public_key(),
        uuid=U,
        marble_type="baker",
        subject=Subject().to_name(),
        dns_names=["localhost"],
        ip_addresses=[],
        now=NOW,
        lifetime=timedelta(days=1),
        serial=5,
        simulation=False,
    )
    return MarbleRunSecrets.of(authority, leaf=leaf, key=key)


@pytest.fixture(scope="module")
def secrets(authority: Authority) -> dict[str, Secret]:
    made = {name: Secret.of(SECRETS[name], private=value) for name, value in UPLOADED.items()}
    for name in ("k", "with-dash"):
        made[name] = generate_shared_key(SECRETS[name], name, entropy=lambda size: bytes(range(1, size + 1)))
    made["c"] = generate_certificate(
        SECRETS["c"], "c", authority=authority, keys=OsKeyFactory(), now=NOW, serial=9
    )
    return made


def rendered(template: str, where: str, secrets: dict[str, Secret], special: MarbleRunSecrets) -> bytes:
    document = manifest(files={"f": template}) if where == FILES else manifest(env={"V": template})
    try_templates(document)
    marble = compile_parameters(document).marble("baker")
    given = {name: secret for name, secret in secrets.items() if name in marble.needed}
    result = render_parameters(marble, secrets=given, previous=given, special=special)
    return result.files["f"] if where == FILES else result.env["V"]


def assert_output(found: bytes, expected: str) -> None:
    text = found.decode("latin-1")
    if match := re.fullmatch(r"\(PEM ([A-Z ]+)\)", expected):
        body = re.fullmatch(
            f"-----BEGIN {match[1]}-----\n((?:.{{64}}\n)*.{{1,64}}\n)-----END {match[1]}-----\n", text
        )
        assert body is not None
        base64.b64decode(body[1], validate=False)
    elif match := re.fullmatch(r"\(hex of (\d+) bytes\)", expected):
        raw = bytes.fromhex(text) if re.fullmatch("(?:[0-9a-f]{2})+", text) else found
        assert len(raw) == int(match[1])
    elif expected == "(hex of a certificate)":
        x509.load_der_x509_certificate(bytes.fromhex(text))
    elif expected == "(DER certificate)":
        x509.load_der_x509_certificate(found)
    elif expected == "(base64)":
        assert base64.b64encode(base64.b64decode(found, validate=True)) == found
    else:
        assert found in (expected.encode(), _bytes_of(expected))


def _bytes_of(text: str) -> bytes | None:
    """Bytes that are no text stand in the contract as hex."""
    return bytes.fromhex(text) if re.fullmatch("(?:[0-9a-f]{2})+", text) else None


def _places(rows: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    return [
        (template, output, place)
        for template, output, where in rows
        for place in ((FILES, ENV) if where == "both" else (where,))
    ]


@pytest.mark.parametrize(("template", "output", "where"), _places(OWN_ROWS))
def test_template_gives_the_output(template, output, where, secrets, special):
    assert_output(rendered(template, where, secrets, special), output)


@pytest.mark.skipif(not COMPAT.exists(), reason="shared/ is absent")
def test_contract_was_read_completely():
    assert len(ROWS) > 170
    assert len(REFUSED) > 95


@pytest.mark.skipif(not ROWS, reason="shared/ is absent")
@pytest.mark.parametrize(("template", "output", "where"), _places(ROWS))
def test_row_of_the_contract_gives_its_output(template, output, where, secrets, special):
    assert_output(rendered(template, where, secrets, special), output)


def assert_refused(template: str, where: str) -> None:
    document = manifest(files={"f": template}) if where == FILES else manifest(env={"V": template})
    with pytest.raises(TemplateRefused) as caught:
        try_templates(document)
    error = caught.value
    assert (error.marble, error.place) == ("baker", "Files" if where == FILES else "Env")
    assert error.line == 1
    assert 1 <= error.column <= len(template) + 1
    assert error.code in ("template-syntax", "template-execution", "template-limit")
    assert error.remedy


@pytest.mark.parametrize(("template", "where"), OWN_REFUSED)
def test_template_is_refused_when_the_manifest_is_set(template, where):
    assert_refused(template, where)


@pytest.mark.skipif(not REFUSED, reason="shared/ is absent")
@pytest.mark.parametrize(("template", "where"), REFUSED)
def test_template_of_the_contract_is_refused_when_the_manifest_is_set(template, where):
    assert_refused(template, where)


AT_ACTIVATION = [
    # template, place, before the upload, after it: None is a refusal
    ("{{ hex .Secrets.word }}", FILES, None, UPLOADED["word"].hex().encode()),
    ("{{ raw .Secrets.word }}", FILES, None, UPLOADED["word"]),
    ("{{ string .Secrets.word }}", ENV, None, UPLOADED["word"]),
    ("{{ hex .Secrets.blank }}", FILES, None, None),
    ("{{ string .Secrets.bytes }}", ENV, None, None),  # the bytes hold a NUL
    ("{{ raw .Secrets.bytes }}", FILES, None, UPLOADED["bytes"]),
    ("{{ if .Secrets.word.Public }}set{{ else }}unset{{ end }}", FILES, b"unset", b"set"),
    ("{{ hex .Previous.Secrets.word }}", FILES, None, None),
]


@pytest.mark.parametrize(("template", "where", "before", "after"), AT_ACTIVATION)
def test_template_that_passed_is_decided_at_activation(template, where, before, after, secrets, special):
    document = manifest(files={"f": template}) if where == FILES else manifest(env={"V": template})
    marble = try_templates(document).marble("baker")
    unset = {name: Secret.unset(item) for name, item in SECRETS.items()}
    for current, expected in ((unset, before), (secrets, after)):
        if expected is None:
            with pytest.raises(TemplateRefused) as caught:
                render_parameters(marble, secrets=current, previous=unset, special=special)
            assert UPLOADED["word"] not in str(caught.value).encode()
        else:
            result = render_parameters(marble, secrets=current, previous=unset, special=special)
            assert expected in (*result.files.values(), *result.env.values())
