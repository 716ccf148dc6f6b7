"""A manifest file judged without a Coordinator: every rule and every template, at once."""

from collections.abc import Iterator
from dataclasses import dataclass

from sealmesh.errors.manifest import ManifestError, Violation
from sealmesh.errors.provisioning import TemplateProblem, TemplateRefused
from sealmesh.manifest import Examined, Manifest, Marble, Parameter, as_json, examine_source
from sealmesh.provisioning.compiled import CompiledParameter, Place, compile_parameter
from sealmesh.provisioning.gotemplate import Value
from sealmesh.provisioning.trial import trial_data

__all__ = ["CheckedManifest", "check_source"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedManifest:
    """A manifest file that a Coordinator would accept.

    Attributes:
        raw: The JSON that is sent, and that the fingerprint is over.
    """

    manifest: Manifest
    raw: bytes


def check_source(source: bytes, *, lenient: bool = False) -> CheckedManifest:
    """Return the manifest in a file, JSON or YAML, if it breaks no rule and its templates pass the trial.

    Where a rule is broken, templates are only parsed: what comes of a broken part means nothing.

    Raises:
        YamlError: Not YAML with a single meaning.
        ManifestError: `violations` has all of them, with lines and columns of the file.
        SecretNotGenerated: A certificate's definition passes the rules and cannot be written all the same.
    """
    examined = examine_source(source, lenient=lenient)
    data = None if examined.violations else trial_data(examined.manifest)
    found = [*examined.violations, *_templates(examined, data)]
    if found:
        raise ManifestError(sorted(found, key=lambda violation: (violation.line or 10**9, violation.column)))
    return CheckedManifest(manifest=examined.manifest, raw=as_json(source))


def _templates(examined: Examined, data: Value | None) -> Iterator[Violation]:
    for marble_type, marble in examined.manifest.marbles.items():
        for place, name, parameter in _parameters(marble):
            try:
                _try(compile_parameter(marble_type, place, name, parameter), data)
            except TemplateRefused as error:
                yield _violation(error, examined)


def _parameters(marble: Marble) -> Iterator[tuple[Place, str, Parameter]]:
    for name, parameter in marble.parameters.files.items():
        yield Place.FILES, name, parameter
    for name, parameter in marble.parameters.env.items():
        yield Place.ENV, name, parameter


def _try(parameter: CompiledParameter, data: Value | None) -> None:
    if data is not None:
        parameter.render(data)


def _violation(error: TemplateRefused, examined: Examined) -> Violation:
    path = ("Marbles", error.marble, "Parameters", error.place, error.name)
    line, column = examined.places.of(path)
    subject = "The value" if error.code == TemplateProblem.NUL else "The template"
    inside = f", its line {error.line}, column {error.column}" if error.line else ""
    return Violation(
        code=str(error.code),
        path=error.where,
        message=f"{subject}{inside}: {error.reason}.",
        line=line,
        column=column,
        remedy=error.remedy,
    )
