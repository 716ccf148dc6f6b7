"""The trial of a manifest's templates, over placeholders for its secrets."""

from fuzz.target import Target
from sealmesh.errors.provisioning import TemplateRefused
from sealmesh.manifest import Manifest, Marble, Parameter, Parameters, SecretDefinition, SecretType
from sealmesh.provisioning import try_templates

_SECRETS = {
    "k": SecretDefinition(type=SecretType.SYMMETRIC_KEY, size=128),
    "w": SecretDefinition(type=SecretType.PLAIN, user_defined=True),
    "c": SecretDefinition(type=SecretType.CERT_ED25519),
}
_SEEDS = {
    "key": "{{ hex .Secrets.k }}{{ base64 .Secrets.k.Private }}",
    "certificate": "{{ pem .Secrets.c.Cert }}{{ pem .Secrets.c.Private }}{{ pem .MarbleRun.RootCA.Cert }}",
    "fields": "{{ with .Secrets }}{{ .k.Type }}{{ range $n, $s := . }}{{ $s.Size }}{{ end }}{{ end }}",
    "certificate's fields": "{{ .Secrets.c.Cert.Subject.CommonName }}{{ .Previous.Secrets.k.Type }}",
}
_WORDS = b"""
{{ }} .Secrets .Previous .MarbleRun $. .Cert .Private .Public hex pem base64 string index
range with define template end else printf := |
"""


def _try(text: bytes) -> None:
    parameters = Parameters(files={"f": Parameter(data=text)}, env={"V": Parameter(data=text)})
    marble = Marble(package="p", parameters=parameters)
    try:
        try_templates(Manifest(packages={}, marbles={"m": marble}, secrets=_SECRETS))
    except TemplateRefused as error:
        assert (error.marble, error.name) in (("m", "f"), ("m", "V"))
        raise


TARGET = Target(
    run=_try,
    seeds=lambda: {name: text.encode() for name, text in _SEEDS.items()},
    words=tuple(_WORDS.split()),
    longest=1024,
    milliseconds=2000,
    megabytes=64,
)
