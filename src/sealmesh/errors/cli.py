"""Wrong use of the command line, and files it cannot read or write."""

from sealmesh.errors.base import Kind, SealmeshError


class CliError(SealmeshError):
    """The root of this area."""

    code = "cli"
    kind = Kind.CONFIGURATION


class UsageError(CliError):
    """Options or arguments that do not go together."""

    code = "usage"
    remedy = "See the command's --help, or docs/reference/cli.md."


class FileProblem(CliError):
    """A file cannot be read or written."""

    code = "file"
    remedy = "See that the path is right and that you may read or write there."


class TrustMissing(CliError):
    """Nothing says how to recognize the right Coordinator."""

    code = "trust-missing"
    remedy = (
        "Give --policy FILE (see `sealmesh verify --help`), --era-config FILE, or --coordinator-cert with a "
        "chain that was verified before. --insecure goes on without any check."
    )


class DemoFailed(CliError):
    """An act of the demo did not show what it must show."""

    code = "demo"
    remedy = "Please report it, with what was printed."
    kind = Kind.INVALID


class DrillFailed(CliError):
    """A recovery with the shares of a drill would fail."""

    code = "drill-failed"
    kind = Kind.INVALID
    remedy = (
        "Find the shares that were handed out last (of `manifest set`, or of the update that changed the "
        "recovery keys), and the keys of their owners."
    )


class CollateralOld(CliError):
    """Collateral has expired, or soon will."""

    code = "collateral-old"
    kind = Kind.UNAVAILABLE
    remedy = "Fetch it again: `sealmesh collateral bundle --help`."
