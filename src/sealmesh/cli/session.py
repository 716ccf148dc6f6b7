"""From trust options to a connection with the right Coordinator."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sealmesh.cli.files import read_file, write_file
from sealmesh.cli.output import Output
from sealmesh.cli.trust import Trust
from sealmesh.errors.cli import TrustMissing

if TYPE_CHECKING:
    from sealmesh.client import CoordinatorApi, RelyingPolicy, User, VerifiedCoordinator

NOT_VERIFIED = "The Coordinator was NOT verified (--insecure): anybody could have answered."


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

    A policy or era file verifies its Evidence and pins the attested root; `insecure` accepts any server and
    says so; without either the era file of the working directory counts, then a chain verified before.

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
    from sealmesh.client import CoordinatorApi, parse_address, pinned_context
    from sealmesh.client.tls import recording_context

    policy = trust.reference() or (None if trust.insecure else trust.default_reference())
    if policy is not None:
        verified = _verify(address, policy, trust, output)
        with verified.connect() as api:
            yield Session(api=api, chain_pem=verified.chain_pem, trust=trust)
        return
    chain = None if trust.insecure else trust.kept_chain()
    if chain is None and not (trust.insecure or may_be_unverified):
        raise TrustMissing("nothing says how to recognize the right Coordinator")
    context = recording_context(lambda _der: None) if chain is None else pinned_context(chain[-1])
    with CoordinatorApi(parse_address(address), context) as api:
        quote = api.quote(trust.nonce_bytes or b"")
        save_quote(trust, quote.evidence, output)
        if trust.insecure:
            output.note(NOT_VERIFIED)
        elif chain is None:
            output.warn("the Coordinator was not verified: no --policy, --era-config or verified chain")
        yield Session(api=api, chain_pem=quote.chain_pem, trust=trust)


@contextmanager
def pinned_session(
    address: str, trust: Trust, output: Output, *, user: "User | None" = None
) -> Iterator["CoordinatorApi"]:
    """Connect to a Coordinator that was verified before, or verify it now: never to just anybody.

    For what a user does under his name, and what is read after the manifest was set. `insecure` has no say
    here, as with MarbleRun's client: a policy or era file verifies anew, otherwise the kept chain is the pin.

    Args:
        address: HOST:PORT.
        trust: The user's options.
        output: Where to say what was verified.
        user: Who acts.

    Raises:
        TrustMissing: Nothing says how to recognize the Coordinator.
        SealmeshError: It does not hold.
    """
    from sealmesh.client import CoordinatorApi, parse_address, pinned_context

    policy = trust.reference()
    chain = None if policy is not None else trust.kept_chain()
    if policy is None and chain is None:
        policy = trust.default_reference()
    if policy is not None:
        with _verify(address, policy, trust, output).connect(user) as api:
            yield api
        return
    if chain is None:
        raise TrustMissing(
            "nothing says how to recognize the right Coordinator",
            found="--insecure, which has no say where a user acts" if trust.insecure else None,
            remedy="Give --policy FILE or --era-config FILE, or verify the Coordinator first: "
            "`sealmesh manifest verify` keeps its chain.",
        )
    with CoordinatorApi(parse_address(address), pinned_context(chain[-1]), user) as api:
        yield api


def _verify(address: str, policy: "RelyingPolicy", trust: Trust, output: Output) -> "VerifiedCoordinator":
    from sealmesh.client import verify_coordinator

    collateral = None if trust.endorsements is None else read_file(trust.endorsements)
    verified = verify_coordinator(address, policy=policy, nonce=trust.nonce_bytes, endorsements=collateral)
    save_quote(trust, verified.evidence.raw, output)
    if not verified.fresh:
        output.warn("the Coordinator has API v1 alone and binds no nonce: its Evidence may be older")
    root = verified.evidence.root
    text = f"Verified the Coordinator at {address}: its Evidence leads to the trust root {root.name!r}."
    output.aside(f"{text} The hardware is SIMULATED: it protects nothing." if root.simulated else text)
    return verified


def save_quote(trust: Trust, evidence: bytes | None, output: Output) -> None:
    """Write the quote where the user wants it; a warning where there is none."""
    if trust.save_sgx_quote is None:
        return
    if evidence is None:
        output.warn("the Coordinator has no Evidence: there is no quote to save")
        return
    write_file(trust.save_sgx_quote, evidence)
