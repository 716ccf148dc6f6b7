"""What keeps a Marble from joining its mesh, or its program from starting."""

from collections.abc import Sequence

from sealmesh.errors.base import Kind, SealmeshError


class MarbleError(SealmeshError):
    """Base of everything that concerns the Marble's agent."""

    code = "marble"


class MarbleConfigurationError(MarbleError):
    """An option, variable or file of `sealmesh run` is wrong."""

    code = "marble.configuration"
    kind = Kind.CONFIGURATION


class MarbleConflict(MarbleConfigurationError):
    """Two sources give different values for one setting."""

    code = "marble.configuration-conflict"
    remedy = "Remove one of them, or give both the same value."


class ProgramRefused(MarbleError):
    """The program is not what the measured package says, or cannot be started as it should be."""

    code = "marble.program"
    kind = Kind.CONFIGURATION


class CoordinatorUnavailable(MarbleError):
    """The Coordinator cannot be reached, or does not admit Marbles yet."""

    code = "marble.coordinator-unavailable"
    kind = Kind.UNAVAILABLE
    remedy = (
        "Start the Coordinator and set a manifest, or check --coordinator-addr (EDG_MARBLE_COORDINATOR_ADDR)"
    )


class CoordinatorRefused(MarbleError):
    """What answered is not the Coordinator that the measured package wants."""

    code = "marble.coordinator-refused"
    kind = Kind.DENIED
    remedy = (
        "Do not run the program here. If the Coordinator was changed on purpose, sign a package that says so"
    )


class ActivationRefused(MarbleError):
    """The Coordinator refused this Marble. The code is the Coordinator's.

    Attributes:
        mismatches: Every claim of the Evidence that the manifest does not allow.
    """

    code = "marble.refused"
    kind = Kind.DENIED

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        found: object = None,
        wanted: object = None,
        remedy: str | None = None,
        mismatches: Sequence[object] = (),
    ) -> None:
        super().__init__(message, code=code, found=found, wanted=wanted, remedy=remedy)
        self.mismatches = tuple(mismatches)


class ParameterFileError(MarbleError):
    """A file of the manifest's parameters cannot be written where it should be."""

    code = "marble.file"
    kind = Kind.CONFIGURATION


class WrapMissing(MarbleError):
    """The program runs, but its TLS did not report."""

    code = "marble.wrap-missing"
    kind = Kind.CONFIGURATION
