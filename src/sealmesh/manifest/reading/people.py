"""Read users, roles and recovery keys."""

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from sealmesh.manifest.json_values import JsonValue, Text
from sealmesh.manifest.model import Action, RecoveryKey, ResourceType, Role, User
from sealmesh.manifest.reading.pem import PemBlock, first_block
from sealmesh.manifest.reading.view import Reading, View
from sealmesh.manifest.report import Path, listing, quoted
from sealmesh.manifest.shapes import ROLE, USER
from sealmesh.pki.reading import UNREADABLE

_ACTIONS = {str(action).lower(): action for action in Action}
_RESOURCES = {str(kind): kind for kind in ResourceType}


def read_user(reading: Reading, value: JsonValue, path: Path) -> User | None:
    """Read one user; None where the certificate cannot be read, which is then reported."""
    view = View(reading, value, path, USER)
    roles = view.texts("Roles")
    text = view.text("Certificate")
    block = first_block(text)
    if block is None or block.label != "CERTIFICATE":
        message = "There is no PEM block in it." if block is None else f"It is a {block.label}."
        reading.report.add(
            "user.no-certificate",
            view.at("Certificate") if text else path,
            message if text else "The user has no `Certificate`.",
            remedy="Put in the user's certificate as PEM, BEGIN CERTIFICATE first.",
        )
        return None
    try:
        certificate = x509.load_der_x509_certificate(block.data)
    except (*UNREADABLE, Warning):
        reading.report.add("user.bad-certificate", view.at("Certificate"), "The certificate cannot be read.")
        return None
    return User(der=block.data, roles=roles, certificate=certificate)


def read_role(reading: Reading, value: JsonValue, path: Path) -> Role | None:
    """Read one role; None where its type is unknown, which is then reported."""
    view = View(reading, value, path, ROLE)
    name = view.text("ResourceType")
    actions = _actions(reading, view)
    names = view.texts("ResourceNames")
    if name not in _RESOURCES:
        reading.report.add(
            "role.unknown-resource-type",
            view.at("ResourceType"),
            f"{quoted(name)} is not a resource type." if name else "The role has no `ResourceType`.",
            remedy=f"Use one of {listing(_RESOURCES)}, in exactly this case.",
        )
        return None
    return Role(resource_type=_RESOURCES[name], resource_names=names, actions=actions)


def _actions(reading: Reading, view: View) -> tuple[Action, ...]:
    actions = []
    for index, name in enumerate(view.texts("Actions")):
        action = _ACTIONS.get(name.lower())
        if action is None:
            reading.report.add(
                "role.unknown-action",
                (*view.at("Actions"), index),
                f"{quoted(name)} is not an action.",
                remedy=f"Use one of {listing(Action)}.",
            )
        else:
            actions.append(action)
    return tuple(actions)


def read_recovery_key(reading: Reading, value: JsonValue, path: Path) -> RecoveryKey | None:
    """Read one recovery key; None where it is no RSA key, which is then reported."""
    if not isinstance(value, Text):
        reading.wrong_type(value, path, "a text")
        return None
    block = first_block(value.value)
    key = _rsa_key(block) if block is not None and block.label == "PUBLIC KEY" else None
    if key is None:
        found = (
            "There is no PEM block in it" if block is None else f"A PEM block of type {block.label} was found"
        )
        reading.report.add(
            "recovery-key.not-rsa",
            path,
            f"{found}; it is no RSA public key that can be read.",
            remedy="Make one with `openssl rsa -in key.pem -pubout`.",
        )
        return None
    return RecoveryKey(der=key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), public_key=key)


def _rsa_key(block: PemBlock) -> RSAPublicKey | None:
    try:
        key = load_der_public_key(block.data)
    except (*UNREADABLE, Warning):
        return None
    return key if isinstance(key, RSAPublicKey) else None
