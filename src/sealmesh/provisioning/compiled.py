"""Files and variables of all Marbles, parsed once for each manifest.

A `CompiledParameters` is a function of the manifest alone, so it may be kept as long as the manifest and
used from any thread. A Marble's templates are parsed when that Marble is first asked for.
"""

from dataclasses import dataclass
from enum import StrEnum

from sealmesh.errors.provisioning import TemplateProblem, TemplateRefused
from sealmesh.manifest import Manifest, Marble, Parameter
from sealmesh.provisioning.data.functions import ENV_FUNCTIONS, FILE_FUNCTIONS
from sealmesh.provisioning.gotemplate import (
    Template,
    TemplateError,
    TemplateLimitError,
    TemplateSyntaxError,
    Value,
)
from sealmesh.provisioning.needed import Needed, known, merged, needed_by

__all__ = [
    "CompiledMarble",
    "CompiledParameter",
    "CompiledParameters",
    "Place",
    "compile_parameter",
    "compile_parameters",
    "needed_secrets",
]

_FUNCTIONS_PAGE = "docs/reference/templates.md lists what templates can say."


class Place(StrEnum):
    """Where a parameter stands; the templates of both have different functions."""

    FILES = "Files"
    ENV = "Env"


_FUNCTIONS = {Place.FILES: FILE_FUNCTIONS, Place.ENV: ENV_FUNCTIONS}


@dataclass(frozen=True, slots=True)
class CompiledParameter:
    """One file or variable: its bytes, or the template that makes them."""

    marble: str
    place: Place
    name: str
    content: bytes | Template

    def render(self, data: Value) -> bytes:
        """Return the bytes over `data`.

        Raises:
            TemplateRefused: The template fails, or a variable would hold a NUL.
        """
        if isinstance(self.content, bytes):
            return self.content
        try:
            rendered = self.content.execute(data)
        except TemplateError as error:
            raise _refused(error, self.marble, self.place, self.name) from None
        if self.place is Place.ENV and b"\0" in rendered:
            raise TemplateRefused(
                "the value holds a NUL byte, which no environment variable can",
                code=TemplateProblem.NUL,
                marble=self.marble,
                place=self.place,
                name=self.name,
                remedy="Use hex or base64, or make it a file.",
            )
        return rendered


@dataclass(frozen=True, slots=True)
class CompiledMarble:
    """Everything that one Marble type gets, ready to render.

    Attributes:
        needed: Names of the secrets (current or previous) that templates or TLS tags can look at. The others
            need not be read, derived or made.
    """

    marble_type: str
    files: tuple[CompiledParameter, ...]
    env: tuple[CompiledParameter, ...]
    argv: tuple[str, ...]
    needed: frozenset[str]


class CompiledParameters:
    """The parameters of all Marbles of one manifest."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._marbles: dict[str, CompiledMarble] = {}

    def marble(self, marble_type: str) -> CompiledMarble:
        """Return the parameters of one Marble type.

        Raises:
            KeyError: The manifest has no such type.
            TemplateRefused: A template does not parse; not after `try_templates`.
        """
        found = self._marbles.get(marble_type)
        if found is None:
            found = _compiled(self._manifest, marble_type, self._manifest.marbles[marble_type])
            self._marbles[marble_type] = found
        return found


def compile_parameters(manifest: Manifest) -> CompiledParameters:
    """Return the parameters of `manifest`; costs nothing before a Marble is asked for."""
    return CompiledParameters(manifest)


def needed_secrets(manifest: Manifest, marble_type: str) -> frozenset[str]:
    """Return which secrets one Marble type needs: those of its templates and TLS tags.

    Raises:
        KeyError: The manifest has no such type.
        TemplateRefused: A template does not parse.
    """
    return compile_parameters(manifest).marble(marble_type).needed


def _compiled(manifest: Manifest, marble_type: str, marble: Marble) -> CompiledMarble:
    parameters = marble.parameters
    files = tuple(
        compile_parameter(marble_type, Place.FILES, name, item) for name, item in parameters.files.items()
    )
    env = tuple(
        compile_parameter(marble_type, Place.ENV, name, item) for name, item in parameters.env.items()
    )
    needed = merged(_needed(item) for item in (*files, *env))
    served = {incoming.cert for tag in marble.tls for incoming in manifest.tls[tag].incoming if incoming.cert}
    return CompiledMarble(
        marble_type=marble_type,
        files=files,
        env=env,
        argv=parameters.argv,
        needed=known(needed, manifest.secrets) | served,
    )


def _needed(parameter: CompiledParameter) -> Needed:
    return frozenset() if isinstance(parameter.content, bytes) else needed_by(parameter.content)


def compile_parameter(marble_type: str, place: Place, name: str, parameter: Parameter) -> CompiledParameter:
    """Return one file or variable, parsed.

    Raises:
        TemplateRefused: Its template does not parse.
    """
    content: bytes | Template = parameter.data
    if not parameter.no_templates and b"{{" in parameter.data:
        try:
            template = Template.parse(parameter.data, functions=_FUNCTIONS[place])
        except TemplateError as error:
            raise _refused(error, marble_type, place, name) from None
        constant = template.constant
        content = template if constant is None else constant
    return CompiledParameter(marble_type, place, name, content)


def _refused(error: TemplateError, marble: str, place: Place, name: str) -> TemplateRefused:
    code, remedy = TemplateProblem.EXECUTION, f"Correct the template, or set `NoTemplates`. {_FUNCTIONS_PAGE}"
    if isinstance(error, TemplateSyntaxError):
        code = TemplateProblem.SYNTAX
    elif isinstance(error, TemplateLimitError):
        code, remedy = TemplateProblem.LIMIT, "Make the template shorter; a recursion must end."
    return TemplateRefused(
        error.message,
        code=code,
        marble=marble,
        place=place.value,
        name=name,
        line=error.line,
        column=error.column,
        remedy=remedy,
    )
