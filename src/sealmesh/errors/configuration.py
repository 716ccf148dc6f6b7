"""Wrong options, variables and files of this process."""

from sealmesh.errors.base import Kind, SealmeshError


class ConfigurationError(SealmeshError):
    """An option, variable or file of this process is wrong."""

    code = "configuration"
    kind = Kind.CONFIGURATION


class ConflictingSources(ConfigurationError):
    """Two sources give different values for one setting."""

    code = "configuration-conflict"
    remedy = "Remove one of them, or give both the same value."


class UnknownRelaxation(ConfigurationError):
    """`--compat` names something that does not exist."""

    code = "unknown-relaxation"


class AttesterMissing(ConfigurationError):
    """The Coordinator has no way to make Evidence of itself."""

    code = "no-attester"
    remedy = (
        "Set SEALMESH_ATTESTER=simulated[:DIR] (--attester) to use the simulated SGX platform, or allow a "
        "Coordinator without Evidence with --compat insecure-empty-quotes (SEALMESH_COMPAT)."
    )


class StartupManifestRefused(ConfigurationError):
    """The startup manifest is missing, invalid, or there is a state already."""

    code = "startup-manifest"
    remedy = "Unset EDG_STARTUP_MANIFEST (SEALMESH_STARTUP_MANIFEST) after the first start."


class AddressUnavailable(ConfigurationError):
    """A listening address cannot be bound."""

    code = "address-unavailable"
    remedy = "Stop what listens there, or choose another address."
