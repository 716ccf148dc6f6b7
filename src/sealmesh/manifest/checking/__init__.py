"""Check a manifest against itself: every name exists, every rule of COMPAT sections 8 and 9 holds.

Each check looks at the whole model and reports; none stops at its first finding. What MarbleRun does
not refuse is refused only in strict reading.
"""

from sealmesh.manifest.checking.access import check_access
from sealmesh.manifest.checking.certificates import check_certificates
from sealmesh.manifest.checking.config import check_config
from sealmesh.manifest.checking.governance import check_governance
from sealmesh.manifest.checking.marbles import check_marbles
from sealmesh.manifest.checking.names import check_names
from sealmesh.manifest.checking.packages import check_infrastructures, check_packages
from sealmesh.manifest.checking.people import check_recovery_keys, check_roles, check_users
from sealmesh.manifest.checking.secrets import check_secrets
from sealmesh.manifest.checking.tls import check_tls
from sealmesh.manifest.model import Manifest
from sealmesh.manifest.reading.view import Reading

_CHECKS = (
    check_names,
    check_packages,
    check_infrastructures,
    check_marbles,
    check_tls,
    check_secrets,
    check_certificates,
    check_users,
    check_roles,
    check_recovery_keys,
    check_config,
    check_access,
    check_governance,
)


def check_manifest(reading: Reading, manifest: Manifest) -> None:
    """Report every rule that `manifest` breaks."""
    for check in _CHECKS:
        check(reading, manifest)
