"""What the user said about recognizing the Coordinator."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sealmesh.cli.files import default_certificate_path, read_file
from sealmesh.errors.cli import FileProblem, UsageError

if TYPE_CHECKING:
    from cryptography import x509

    from sealmesh.client import RelyingPolicy

#: MarbleRun's era files, looked for in the working directory (COMPAT section 13).
ERA_FILES = (Path("coordinator-era.json"), Path("era-config.json"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The options `--policy`, `--era-config`, `--insecure` and what goes with them.

    Attributes:
        endorsements: Collateral for the Coordinator's platform, where it gives none itself, as MarbleRun's.
        namespace: Of the Coordinator in a Kubernetes cluster; only `check` looks at it.
    """

    policy: Path | None = None
    era_config: Path | None = None
    coordinator_cert: Path | None = None
    insecure: bool = False
    endorsements: Path | None = None
    nonce: str | None = None
    save_sgx_quote: Path | None = None
    accepted_tcb_statuses: tuple[str, ...] = ()
    accepted_advisories: tuple[str, ...] = ()
    namespace: str = "marblerun"

    def __post_init__(self) -> None:
        if sum((self.policy is not None, self.era_config is not None, self.insecure)) > 1:
            raise UsageError("--policy, --era-config and --insecure exclude each other", wanted="one of them")

    def reference(self) -> "RelyingPolicy | None":
        """Return the policy in the file that was named, None if none was."""
        from sealmesh.client import read_policy

        if self.policy is not None:
            return self._with_tcb(read_policy(self.policy))
        return None if self.era_config is None else self._era(self.era_config)

    def default_reference(self) -> "RelyingPolicy | None":
        """Return the policy in an era file of the working directory, None if there is none."""
        found = next((path for path in ERA_FILES if path.is_file()), None)
        return None if found is None else self._era(found)

    @property
    def nonce_bytes(self) -> bytes | None:
        """The nonce the user gave, as bytes."""
        return None if self.nonce is None else self.nonce.encode()

    @property
    def certificate_path(self) -> Path:
        """Where the verified chain is kept."""
        return self.coordinator_cert or default_certificate_path()

    def kept_chain(self) -> "tuple[x509.Certificate, ...] | None":
        """Return the chain (intermediate, root) that was verified before.

        None if there is none, and none was named.

        Raises:
            FileProblem: The file is there and holds none, or was named and is not there.
        """
        from cryptography import x509

        from sealmesh.pki.reading import UNREADABLE

        path = self.certificate_path
        if self.coordinator_cert is None and not path.exists():
            return None
        try:
            return tuple(x509.load_pem_x509_certificates(read_file(path)))
        except UNREADABLE as error:
            raise FileProblem("the verified chain cannot be read", found=path, wanted="PEM") from error

    def _era(self, path: Path) -> "RelyingPolicy":
        from sealmesh.ledger import parse_era_config

        return self._with_tcb(parse_era_config(read_file(path)))

    def _with_tcb(self, policy: "RelyingPolicy") -> "RelyingPolicy":
        """Return the policy with the platform's state as the options have it, where they were given."""
        return policy.with_tcb(
            statuses=frozenset(self.accepted_tcb_statuses) or None,
            advisories=frozenset(self.accepted_advisories) or None,
        )
