"""Settings: thresholds that can be met."""

from sealmesh.manifest.model import Manifest
from sealmesh.manifest.reading.view import Reading


def check_config(reading: Reading, manifest: Manifest) -> None:
    """Check both thresholds (COMPAT section 8)."""
    updaters = updaters_of(manifest)
    people_sound = reading.sound("Users") and reading.sound("Roles")
    if manifest.config.update_threshold > updaters and people_sound:
        reading.report.add(
            "config.update-threshold-unreachable",
            ("Config", "UpdateThreshold"),
            f"{manifest.config.update_threshold} must agree, and {updaters} users may.",
            remedy="Lower the threshold, or give more users a role with UpdateManifest as its first action.",
        )
    threshold, keys = manifest.config.recovery_threshold, len(manifest.recovery_keys)
    if threshold and reading.sound("RecoveryKeys") and not 2 <= threshold <= keys:
        reading.report.add(
            "config.bad-recovery-threshold",
            ("Config", "RecoveryThreshold"),
            f"With {keys} recovery keys the threshold is 0 (all of them) or from 2 to their number.",
            remedy="1 would let every single owner recover alone."
            if threshold == 1
            else "Lower it, or add recovery keys.",
        )


def updaters_of(manifest: Manifest) -> int:
    """Return how many users count for `UpdateThreshold`."""
    return sum(
        any(role in manifest.roles and manifest.roles[role].may_update_manifest for role in user.roles)
        for user in manifest.users.values()
    )
