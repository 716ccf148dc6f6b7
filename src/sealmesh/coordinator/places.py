"""The names of the records: one function or constant per place.

A name is `SHELF/REST`. The state keeps records by shelf, so that a commit that touches one shelf does not
cost the size of the others.
"""

import json

AUTHORITY = "state/authority"
MANIFEST = "state/manifest"
SIGNATURE = "state/signature"
ROOT_SECRET = "state/root-secret"  # noqa: S105 - the name of a record
PREVIOUS_ROOT_SECRET = "state/previous-root-secret"  # noqa: S105 - the name of a record
PENDING = "pending/update"
#: The number of the manifest in force, which approvals name.
EPOCH = "governance/epoch"
#: Shelves.
SECRETS = "secret"
PREVIOUS_SECRETS = "previous-secret"
PACKAGES = "package"
LOG = "log"
APPROVALS = "approval"
USED_APPROVALS = "used-approval"
REFUSALS = "refusals"


def shelf_of(key: str) -> tuple[str, str]:
    """Split a record's name into its shelf and the rest."""
    shelf, _, rest = key.partition("/")
    return shelf, rest


def secret(name: str) -> str:
    """Return the place of the secret `name` in force."""
    return f"{SECRETS}/{name}"


def previous_secret(name: str) -> str:
    """Return the place of what the secret `name` was before the last update."""
    return f"{PREVIOUS_SECRETS}/{name}"


def activations(marble_type: str) -> str:
    """Return the place of the activation count of a Marble type with a limit."""
    return f"activations/{marble_type}"


def package_version(package: str) -> str:
    """Return the place of the SecurityVersion that a package update gave to `package`."""
    return f"{PACKAGES}/{package}"


def log_line(number: int) -> str:
    """Return the place of the update log's line `number`, from 0."""
    return f"{LOG}/{number:012d}"


def approval(act: str, subject: str, approver: str) -> str:
    """Return the place of an approver's approval; he has one for each act on each subject (hex)."""
    return f"{APPROVALS}/{act}/{subject}/{approver}"


def used_approval(approval_id: str) -> str:
    """Return the place that says that an approval was used."""
    return f"{USED_APPROVALS}/{approval_id}"


def refusals(user: str) -> str:
    """Return the place of how many refusals of a user are in the log, in this epoch."""
    return f"{REFUSALS}/{user}"


def counter(marble_type: str, uuid: str, name: str) -> str:
    """Return the place of a monotonic counter; injective in all three parts."""
    return "counter/" + json.dumps([marble_type, uuid, name], separators=(",", ":"))
