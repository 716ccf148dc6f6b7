"""Names of things: present, short, printable."""

from sealmesh.manifest.limits import MAX_NAME_CHARACTERS
from sealmesh.manifest.model import Manifest
from sealmesh.manifest.reading.view import Reading


def check_names(reading: Reading, manifest: Manifest) -> None:
    """Check the names of all things; MarbleRun looks at none."""
    if reading.lenient:
        return
    for section, things in (
        ("Packages", manifest.packages),
        ("Infrastructures", manifest.infrastructures),
        ("Marbles", manifest.marbles),
        ("Secrets", manifest.secrets),
        ("Users", manifest.users),
        ("Roles", manifest.roles),
        ("RecoveryKeys", manifest.recovery_keys),
        ("TLS", manifest.tls),
    ):
        for name in things:
            if not name or len(name) > MAX_NAME_CHARACTERS or not name.isprintable():
                reading.report.add(
                    "bad-name",
                    (section, name),
                    f"A name has 1 to {MAX_NAME_CHARACTERS} printable characters.",
                    remedy="It becomes part of certificates and log lines.",
                )
