"""From trust options to a connection with the right Coordinator."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sealmesh.cli.files import default_certificate_path, read_file, write_file
from sealmesh.cli.output import Output
from sealmesh.errors.cli import FileProblem, TrustMissing, UsageError

if TYPE_CHECKING:
    from cryptography import x509

    from sealmesh.client import CoordinatorApi, RelyingPolicy

NOT_VERIFIED = "The Coordinator was NOT verified (--insecure): anybody could have answered."


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What the user said about recognizing the Coordinator."""

    policy: Path | None = None
    era_config: Path | None = None
    coordinator_cert: Path | None = None
    insecure: bool = False
    nonce: str | None = None

    def __post_init__(self) -> None:
        if sum((self.policy is not None, self.era_config is not None, self.insecure)) > 1:
            raise UsageError("--policy, --era-config and --insecure exclude each other", wanted="one of them")

    def reference(self) -> "RelyingPolicy | None":
        """Return the policy to verify against, None if neither file was named."""
        from sealmesh.client import read_policy
        from sealmesh.ledger import parse_era_config

        if self.policy is not None:
            return read_policy(self.policy)
        return parse_era_config(read_file(self.era_config)) if self.era_config is not None else None

    @property
    def nonce_bytes(self) -> bytes | None:
        """The nonce the user gave, as bytes."""
        return None if self.nonce is None else self.nonce.encode()

    @property
    def certificate_path(self) -> Path:
        """Where the verified chain is kept."""
        return self.coordinator_cert or default_certificate_path()


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A connection, and the chain that was shown on it (PEM: intermediate, root)."""

    api: "CoordinatorApi"
    chain_pem: str
    trust: Trust

    def keep_chain(self) -> Path:
        """Write the chain to the trust's cache for later commands."""
        path = self.trust.certificate_path
        write_file(path, self.chain_pem.encode())
        return path


@contextmanager
def session(
    address: str, trust: Trust, output: Output, *, may_be_unverified: bool = False
) -> Iterator[Session]:
    """Connect to the Coordinator at `address` as `trust` says.

    A policy or era file verifies its Evidence and pins the attested root; without one a chain verified
    before is the pin; `insecure` accepts any server and says so.

    Args:
        address: HOST:PORT.
        trust: The user's options.
        output: Where to say what was and was not verified.
        may_be_unverified: The command only reads what everybody may see, so without any trust option it
            goes on with a warning.

    Raises:
        TrustMissing: Nothing says how to recognize the Coordinator.
        SealmeshError: It does not hold.
    """
    from sealmesh.client import CoordinatorApi, parse_address, pinned_context, verify_coordinator
    from sealmesh.client.tls import recording_context

    policy = trust.reference()
    if policy is not None:
        verified = verify_coordinator(address, policy=policy, nonce=trust.nonce_bytes)
        output.note(
            _verified(address, verified.evidence.root.name, simulated=verified.evidence.root.simulated)
        )
        with verified.connect() as api:
            yield Session(api=api, chain_pem=verified.chain_pem, trust=trust)
        return
    pin = None if trust.insecure else _cached_root(trust)
    if pin is None and not (trust.insecure or may_be_unverified):
        raise TrustMissing("nothing says how to recognize the right Coordinator")
    context = recording_context(lambda _der: None) if pin is None else pinned_context(pin)
    with CoordinatorApi(parse_address(address), context) as api:
        chain_pem = api.quote(trust.nonce_bytes or b"").chain_pem
        if trust.insecure:
            output.note(NOT_VERIFIED)
        elif pin is None:
            output.warn("the Coordinator was not verified: no --policy, --era-config or verified chain")
        yield Session(api=api, chain_pem=chain_pem, trust=trust)


def _verified(address: str, root: str, *, simulated: bool) -> str:
    text = f"Verified the Coordinator at {address}: its Evidence leads to the trust root {root!r}."
    return f"{text} The hardware is SIMULATED: it protects nothing." if simulated else text


def _cached_root(trust: Trust) -> "x509.Certificate | None":
    """Return the root of the chain that was verified before, None if there is none and none was named."""
    from cryptography import x509

    path = trust.certificate_path
    if trust.coordinator_cert is None and not path.exists():
        return None
    try:
        return x509.load_pem_x509_certificates(read_file(path))[-1]
    except ValueError as error:
        raise FileProblem("the verified chain cannot be read", found=path, wanted="PEM") from error
