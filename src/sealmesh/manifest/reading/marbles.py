"""Read Marbles and their parameters."""

from types import MappingProxyType

from sealmesh.manifest.gojson import base64_bytes
from sealmesh.manifest.json_values import JsonValue, Object, Text
from sealmesh.manifest.model import CertificateSettings, Marble, Parameter, Parameters
from sealmesh.manifest.reading.lifetime import read_lifetime
from sealmesh.manifest.reading.names import read_names
from sealmesh.manifest.reading.view import Reading, View
from sealmesh.manifest.report import Path, quoted
from sealmesh.manifest.shapes import CERTIFICATE, MARBLE, PARAMETER, PARAMETERS


def read_marble(reading: Reading, value: JsonValue, path: Path) -> Marble:
    """Read one Marble type."""
    view = View(reading, value, path, MARBLE)
    return Marble(
        package=view.text("Package"),
        max_activations=view.unsigned("MaxActivations"),
        parameters=_parameters(reading, view.view("Parameters", PARAMETERS)),
        tls=view.texts("TLS"),
        disable_secret_binding=view.flag("DisableSecretBinding"),
        names=read_names(reading, view) if view.has("Names") else None,
        certificate=_certificate(reading, view) if view.has("Certificate") else None,
    )


def _certificate(reading: Reading, marble: View) -> CertificateSettings:
    view = marble.view("Certificate", CERTIFICATE)
    return CertificateSettings(lifetime=read_lifetime(reading, view))


def _parameters(reading: Reading, view: View) -> Parameters:
    return Parameters(
        files=MappingProxyType(
            {name: _parameter(reading, value, path) for name, path, value in view.named("Files")}
        ),
        env=MappingProxyType(
            {name: _parameter(reading, value, path) for name, path, value in view.named("Env")}
        ),
        argv=view.texts("Argv"),
    )


def _parameter(reading: Reading, value: JsonValue, path: Path) -> Parameter:
    if isinstance(value, Text):
        return Parameter(data=value.value.encode())
    if not isinstance(value, Object):
        reading.wrong_type(value, path, "a text or an object with `Data`")
        return Parameter(data=b"")
    view = View(reading, value, path, PARAMETER)
    data = _decode(reading, view)
    return Parameter(data=data, no_templates=view.flag("NoTemplates"))


def _decode(reading: Reading, view: View) -> bytes:
    text, encoding = view.text("Data"), view.text("Encoding").lower()
    if encoding in ("", "string"):
        return text.encode()
    if encoding == "base64":
        data = base64_bytes(text)
    elif encoding == "hex":
        data = _hex(text)
    else:
        reading.report.add(
            "parameter.unknown-encoding",
            view.at("Encoding"),
            f"{quoted(encoding)} is not an encoding.",
            remedy="Use string, base64 or hex.",
        )
        return b""
    if data is None:
        reading.report.add("parameter.bad-encoding", view.at("Data"), f"This is not {encoding}.")
    return data or b""


def _hex(text: str) -> bytes | None:
    if any(character.isspace() for character in text):
        return None
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None
