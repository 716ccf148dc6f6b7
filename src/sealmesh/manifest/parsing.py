"""From bytes to a checked `Manifest`, or to everything that is wrong with them."""

import hashlib
from dataclasses import dataclass

from sealmesh.errors.manifest import JsonError, ManifestError, Violation
from sealmesh.manifest.checking import check_manifest
from sealmesh.manifest.json_scanner import decode_text, parse_json
from sealmesh.manifest.json_values import JsonValue
from sealmesh.manifest.limits import MAX_MANIFEST_BYTES
from sealmesh.manifest.model import Manifest
from sealmesh.manifest.places import Places
from sealmesh.manifest.reading.document import read_document
from sealmesh.manifest.reading.view import Reading
from sealmesh.manifest.report import Report, json_violation
from sealmesh.manifest.yaml_source import is_json, yaml_places, yaml_to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A manifest and everything that is wrong with it.

    Attributes:
        manifest: As far as it could be read; in force only without violations.
        violations: In document order.
        places: Where things stand in the file.
    """

    manifest: Manifest
    violations: tuple[Violation, ...]
    places: Places


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
    examined = examine_manifest(raw, lenient=lenient)
    if examined.violations:
        raise ManifestError(examined.violations)
    return examined.manifest


def examine_manifest(raw: bytes, *, lenient: bool = False, places: Places | None = None) -> Examined:
    """Parse and check a manifest as `parse_manifest` does, and return what could be read with what is wrong.

    Args:
        raw: JSON.
        lenient: As for `parse_manifest`.
        places: Where the lines are counted, if not in `raw`.

    Raises:
        ManifestError: It is no JSON object, so that nothing could be read.
    """
    root, text = read_json(raw, lenient=lenient)
    reading = Reading(Report(text, root, places=places), lenient=lenient)
    manifest = read_document(reading, root)
    check_manifest(reading, manifest)
    return Examined(manifest=manifest, violations=reading.report.violations(), places=reading.report.places)


def examine_source(source: bytes, *, lenient: bool = False) -> Examined:
    """Examine a manifest file, JSON or YAML; places are lines and columns of the file.

    Raises:
        YamlError: Not YAML with a single meaning.
        ManifestError: As for `examine_manifest`.
    """
    if is_json(source):
        return examine_manifest(source, lenient=lenient)
    return examine_manifest(yaml_to_json(source), lenient=lenient, places=yaml_places(source))


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
