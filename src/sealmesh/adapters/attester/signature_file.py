"""The file `<document>.sig`: signature structure, and the list of what was signed.

The list is not needed to verify anything (the structure holds the measurement); it lets us say which
file changed. It counts only when its measurement is the signed one.
"""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass

from sealmesh.attestation.simulated import (
    EnvironmentVariable,
    MeasuredFile,
    PackageContent,
    SignatureStructure,
    measure,
    parse_signature_structure,
)
from sealmesh.errors.attestation import AttestationError, PackageError

MAX_SIGNATURE_FILE_BYTES = 64 * 1024 * 1024
_FORMAT = "sealmesh-package-signature-v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSignature:
    """A package's signature and what was signed."""

    structure: SignatureStructure
    content: PackageContent


def encode_signature(signature: PackageSignature) -> bytes:
    """Return the signature file."""
    content = signature.content
    document = {
        "format": _FORMAT,
        "structure": b64encode(signature.structure.raw).decode(),
        "content": {
            "exe": content.exe,
            "args": list(content.args),
            "environment": [[v.name, v.value, v.from_host] for v in content.environment],
            "files": {file.name: file.sha256.hex() for file in content.files},
            "settings": {name: b64encode(value).decode() for name, value in content.settings},
        },
    }
    return json.dumps(document, indent=1).encode() + b"\n"


def parse_signature(raw: bytes, *, name: str) -> PackageSignature:
    """Read a signature file and verify it in itself.

    Raises:
        PackageError: `package:signature`: damaged, not signed by its key, or a list of other things
            than were signed.
    """
    try:
        if len(raw) > MAX_SIGNATURE_FILE_BYTES:
            raise ValueError("too long")
        document = json.loads(raw)
        if document["format"] != _FORMAT:
            raise ValueError("another format")
        signature = PackageSignature(
            structure=parse_signature_structure(b64decode(document["structure"], validate=True)),
            content=_parse_content(document["content"]),
        )
        if measure(signature.content) != signature.structure.unique_id:
            raise ValueError("the list is not what was signed")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, AttestationError) as error:
        raise PackageError(
            f"the signature file {name} does not hold: {error}",
            code="package:signature",
            remedy="Sign the package again: sealmesh sign",
        ) from error
    return signature


def _parse_content(document: dict[str, object]) -> PackageContent:
    exe, args, files = document["exe"], document["args"], document["files"]
    settings, environment = document["settings"], document["environment"]
    if not (isinstance(exe, str) and isinstance(args, list) and isinstance(environment, list)):
        raise TypeError("fields of another type")
    if not (isinstance(files, dict) and isinstance(settings, dict)):
        raise TypeError("fields of another type")
    return PackageContent(
        exe=exe,
        args=tuple(args),
        environment=tuple(
            EnvironmentVariable(name=name, value=value, from_host=from_host)
            for name, value, from_host in environment
        ),
        files=tuple(MeasuredFile(name=name, sha256=bytes.fromhex(digest)) for name, digest in files.items()),
        settings=tuple((name, b64decode(value, validate=True)) for name, value in settings.items()),
    )
