"""What a Coordinator knows at one version of its store, immutable.

Invariants: a `State` is a function of the store's records and of the fresh authority alone, so every
worker that reads the same version has the same state. Deriving is incremental: what did not change in the
store is the same object as before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sealmesh.coordinator import places
from sealmesh.coordinator.marble_names import NameOwners
from sealmesh.coordinator.phase import Phase
from sealmesh.coordinator.ports import Snapshot
from sealmesh.coordinator.shelves import Shelves
from sealmesh.errors import SealmeshError
from sealmesh.errors.coordinator import PhaseError, StateCorrupt
from sealmesh.manifest import Manifest, Package, fingerprint, parse_manifest
from sealmesh.pki import Authority
from sealmesh.policy import AccessPolicy
from sealmesh.policy import to_json as access_to_json
from sealmesh.provisioning import CompiledParameters, compile_access, compile_parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The manifest in force and what was derived from it.

    Attributes:
        raw: The bytes that were set; the fingerprint is over these.
        signature: ECDSA P-384 over SHA-256(raw) by the root key, ASN.1.
        compiled: The Marbles' templates, parsed when first asked for.
    """

    raw: bytes
    manifest: Manifest
    fingerprint: str
    signature: bytes
    access: AccessPolicy
    access_document: bytes
    owners: NameOwners
    users_by_certificate: Mapping[bytes, str] = field(repr=False)
    compiled: CompiledParameters = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One view of the Coordinator.

    Attributes:
        authority: The state's, or the fresh one while there is no manifest or no key to the state.
        root_secrets: The present one and the one before, as stored; empty where there is none.
        in_force: None unless Marbles are accepted.
    """

    phase: Phase
    authority: Authority
    shelves: Shelves = field(default_factory=Shelves)
    in_force: InForce | None = None
    root_secrets: tuple[bytes, bytes] = field(default=(b"", b""), repr=False)

    @classmethod
    def before_manifest(cls, authority: Authority, *, recovery: bool = False) -> "State":
        """Return the state of a Coordinator without a manifest, or without the key to its state."""
        return cls(phase=Phase.RECOVERY if recovery else Phase.ACCEPTING_MANIFEST, authority=authority)

    @property
    def version(self) -> int:
        """The store's version that this is a view of."""
        return self.shelves.version

    @property
    def running(self) -> InForce:
        """The manifest in force.

        Raises:
            PhaseError: There is none.
        """
        if self.in_force is None:
            raise PhaseError("there is no manifest", found=f"state {self.phase.value}", wanted="state 3")
        return self.in_force

    def refreshed(self, snapshot: Snapshot) -> "State":
        """Return the state after the changes of `snapshot`.

        Raises:
            StateCorrupt: A record cannot be read.
        """
        shelves = self.shelves.refreshed(snapshot)
        if shelves.shelf("state") is self.shelves.shelf("state"):
            return State(
                phase=self.phase,
                authority=self.authority,
                shelves=shelves,
                in_force=self.in_force,
                root_secrets=self.root_secrets,
            )
        return _derived(self, shelves)

    def package(self, name: str) -> Package:
        """Return the package `name` with the SecurityVersion that package updates gave it."""
        package = self.running.manifest.packages[name]
        place = places.package_version(name)
        if self.shelves.record(place) is None:
            return package
        return replace(package, security_version=self.shelves.number(place))

    def activations(self, marble_type: str) -> int:
        """Return how often a Marble of a type with a limit was activated."""
        return self.shelves.number(places.activations(marble_type))

    def root_secret(self) -> bytes:
        """Return the 32 bytes from which private keys are derived."""
        present = self.root_secrets[0]
        if not present:
            raise StateCorrupt("a record is missing", found=places.ROOT_SECRET)
        return present

    def previous_root_secret(self) -> bytes:
        """Return the root secret before the last rotation; the present one if there was none."""
        return self.root_secrets[1] or self.root_secret()

    def log(self) -> tuple[str, ...]:
        """Return the lines of the update log, oldest first."""
        lines = self.shelves.shelf(places.LOG)
        try:
            return tuple((lines[number].value or b"").decode() for number in sorted(lines))
        except UnicodeDecodeError as error:
            raise StateCorrupt("a line of the update log cannot be read") from error


def _derived(before: State, shelves: Shelves) -> State:
    raw = shelves.value(places.MANIFEST)
    if raw is None:
        return replace(before, shelves=shelves)
    try:
        return State(
            phase=Phase.ACCEPTING_MARBLES,
            authority=_authority(before, shelves),
            shelves=shelves,
            in_force=_in_force(before.in_force, raw, shelves.value(places.SIGNATURE) or b""),
            root_secrets=(
                shelves.value(places.ROOT_SECRET) or b"",
                shelves.value(places.PREVIOUS_ROOT_SECRET) or b"",
            ),
        )
    except (ValueError, SealmeshError) as error:
        raise StateCorrupt("the stored state cannot be read", found=str(error)) from error


def _authority(before: State, shelves: Shelves) -> Authority:
    now, then = shelves.record(places.AUTHORITY), before.shelves.record(places.AUTHORITY)
    if now is None or now.value is None:
        raise StateCorrupt("a record is missing", found=places.AUTHORITY)
    return before.authority if now == then else Authority.from_bytes(now.value)


def _in_force(before: InForce | None, raw: bytes, signature: bytes) -> InForce:
    if before is not None and before.raw == raw and before.signature == signature:
        return before
    # What was accepted when it was set stays accepted, whatever the relaxations are now.
    manifest = parse_manifest(raw, lenient=True)
    access = compile_access(manifest)
    return InForce(
        raw=raw,
        manifest=manifest,
        fingerprint=fingerprint(raw),
        signature=signature,
        access=access,
        access_document=access_to_json(access),
        owners=NameOwners.of(manifest),
        compiled=compile_parameters(manifest),
        users_by_certificate={user.der: name for name, user in manifest.users.items()},
    )
