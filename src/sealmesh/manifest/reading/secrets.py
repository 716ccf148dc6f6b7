"""Read secrets."""

from sealmesh.manifest.json_values import JsonValue
from sealmesh.manifest.model import SecretDefinition, SecretType
from sealmesh.manifest.reading.certificates import read_certificate_template
from sealmesh.manifest.reading.view import Reading, View
from sealmesh.manifest.report import Path, listing, quoted
from sealmesh.manifest.shapes import CERTIFICATE_TEMPLATE, SECRET

_TYPES: dict[str, SecretType] = {str(kind): kind for kind in SecretType}


def read_secret(reading: Reading, value: JsonValue, path: Path) -> SecretDefinition | None:
    """Read one secret; None where its type is unknown, which is then reported."""
    view = View(reading, value, path, SECRET)
    name = view.text("Type")
    kind = _TYPES.get(name)
    if kind is None:
        reading.report.add(
            "secret.unknown-type",
            view.at("Type"),
            f"{quoted(name)} is not a type of secret." if name else "The secret has no `Type`.",
            remedy=f"Use one of {listing(_TYPES)}.",
        )
    template = None
    if view.has("Cert"):
        template = read_certificate_template(reading, view.view("Cert", CERTIFICATE_TEMPLATE))
    size, valid_for = view.unsigned("Size"), view.unsigned("ValidFor")
    shared, user_defined = view.flag("Shared"), view.flag("UserDefined")
    if kind is None:
        return None
    return SecretDefinition(
        type=kind,
        size=size,
        shared=shared,
        user_defined=user_defined,
        valid_for=valid_for,
        certificate=template,
    )
