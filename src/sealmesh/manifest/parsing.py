"""From bytes to a checked `Manifest`, or to everything that is wrong with them."""

import hashlib

from sealmesh.errors.manifest import JsonError, ManifestError, Violation
from sealmesh.manifest.checking import check_manifest
from sealmesh.manifest.json_scanner import decode_text, parse_json
from sealmesh.manifest.json_values import JsonValue
from sealmesh.manifest.limits import MAX_MANIFEST_BYTES
from sealmesh.manifest.model import Manifest
from sealmesh.manifest.reading.document import read_document
from sealmesh.manifest.reading.view import Reading
from sealmesh.manifest.report import Report, json_violation


def fingerprint(raw: bytes) -> str:
    """Return the manifest's fingerprint: SHA-256 of the raw bytes, in hex (COMPAT section 8)."""
    return hashlib.sha256(raw).hexdigest()


def parse_manifest(raw: bytes, *, lenient: bool = False) -> Manifest:
    """Parse and check a manifest.

    Templates are not tried here (`provisioning` does), nothing is compared with a present state, and
    of certificates neither expiry nor chain is looked at.

    Args:
        raw: JSON as it was sent; `yaml_to_json` makes it from YAML.
        lenient: Accept what MarbleRun accepts (relaxation `lenient-manifest`): unknown keys are
            ignored, repeated ones merge, weak RSA keys and unenforced properties pass. A field of
            sealmesh without its gate is refused all the same.

    Raises:
        ManifestError: It is refused; `violations` has every reason, in document order.
    """
    root, text = read_json(raw, lenient=lenient)
    reading = Reading(Report(text, root), lenient=lenient)
    manifest = read_document(reading, root)
    check_manifest(reading, manifest)
    reading.report.raise_if_any()
    return manifest


def read_json(raw: bytes, *, lenient: bool) -> tuple[JsonValue, str]:
    """Return the document's value and its text.

    Raises:
        ManifestError: Too large, or not one well-formed JSON value.
    """
    if len(raw) > MAX_MANIFEST_BYTES:
        raise ManifestError(
            [
                Violation(
                    code="manifest.json.too-large",
                    path="$",
                    message=f"A manifest has at most {MAX_MANIFEST_BYTES} bytes; this has {len(raw)}.",
                    remedy="Large files are better fetched by the program than handed to it.",
                )
            ]
        )
    try:
        text = decode_text(raw, strict=not lenient)
        return parse_json(text, strict=not lenient), text
    except JsonError as error:
        raise json_violation(error) from None
