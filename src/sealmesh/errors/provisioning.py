"""Failures of secrets, templates and the parameters of one Marble. None of them carries a secret."""

from enum import StrEnum

from sealmesh.errors.base import Kind, SealmeshError


class ProvisioningError(SealmeshError):
    """Base of this area."""

    code = "provisioning"


class TemplateProblem(StrEnum):
    """The codes of `TemplateRefused`."""

    SYNTAX = "template-syntax"
    EXECUTION = "template-execution"
    LIMIT = "template-limit"
    NUL = "environment-nul"
    TOO_LARGE = "parameters-too-large"


class TemplateRefused(ProvisioningError):
    """A file or variable of a Marble cannot be made.

    Attributes:
        where: The parameter's path in the manifest.
        reason: What is wrong, without the place.
        marble: The Marble type.
        place: `Files` or `Env`.
        name: The path or the variable's name.
        line: In the template, from 1; 0 where no position applies.
        column: From 1, counting characters.
    """

    code = TemplateProblem.EXECUTION
    remedy = "Correct the template, or set `NoTemplates`."

    def __init__(
        self,
        message: str,
        *,
        code: TemplateProblem,
        marble: str,
        place: str,
        name: str,
        line: int = 0,
        column: int = 0,
        remedy: str | None = None,
    ) -> None:
        self.where = f"Marbles.{marble}.Parameters.{place}[{name!r}]"
        at = f", line {line}, column {column}" if line else ""
        super().__init__(f"{self.where}{at}: {message}", code=code, remedy=remedy)
        self.reason = message
        self.marble = marble
        self.place = place
        self.name = name
        self.line = line
        self.column = column


class SecretNotGenerated(ProvisioningError):
    """A secret of the manifest cannot be made."""

    code = "secret-not-generated"
    kind = Kind.CONFIGURATION
    remedy = "Correct the secret's definition in the manifest."


class SecretUnset(ProvisioningError):
    """A user-defined secret is needed and nobody has uploaded it."""

    code = "secret-unset"
    kind = Kind.STATE
    remedy = "Upload the secret as a user whose role has `WriteSecret` for it, then activate again."


class SecretCorrupt(ProvisioningError):
    """A stored secret is not what this version wrote."""

    code = "secret-corrupt"
    kind = Kind.UNAVAILABLE
    remedy = "The state was written by another version, or damaged. Restore both sealed files from a copy."


class UploadProblem(StrEnum):
    """The codes of `UploadRefused`."""

    EMPTY = "upload-empty"
    UNKNOWN = "upload-unknown-secret"
    GENERATED = "upload-not-user-defined"
    KEY_LENGTH = "upload-key-length"
    UNEXPECTED_FIELD = "upload-unexpected-field"
    CERTIFICATE_MISSING = "upload-certificate-missing"
    CERTIFICATE_BROKEN = "upload-certificate-broken"


class UploadRefused(ProvisioningError):
    """An uploaded secret breaks a rule (COMPAT section 9, "Upload")."""

    code = UploadProblem.EMPTY
    remedy = "See docs/reference/manifest.md for what each type of secret takes."
