"""Real Coordinators, as workers have them: several on one seal directory, and what can be seen of them."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from model_commands import (
    Acknowledge,
    Activate,
    Cancel,
    Command,
    Count,
    Propose,
    RaiseVersion,
    Read,
    Recover,
    SetManifest,
    Upload,
)
from model_people import certificate, make_keys, opened, request, signed
from model_reference import Done, Model, Outcome, Refused

from sealmesh.coordinator import places
from sealmesh.coordinator.api import ActivationRequest, EnrolRequest, SecretUpload
from sealmesh.coordinator.coordinator import Coordinator
from sealmesh.errors import SealmeshError
from sealmesh.errors.coordinator import NothingPending
from sealmesh.errors.manifest import ManifestError
from sealmesh.provisioning import Secret
from sealmesh.server.composition import Parts, build_settings, compose, fresh_authority
from sealmesh.server.configuration import read_configuration
from sealmesh.server.evidence import build_evidence


@dataclass(slots=True)
class Kept:
    """What callers keep: shares by sealing and owner, Marbles' leaf certificates by admission."""

    shares: list[dict[str, bytes]] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)


class World:
    """Some Coordinators on one state.

    Args:
        workers: How many.
    """

    def __init__(self, workers: int) -> None:
        make_keys()  # not by several threads at once
        self._folder = tempfile.TemporaryDirectory(prefix="sealmesh-model-")
        self.seal = Path(self._folder.name) / "seal"
        environment = {
            "SEALMESH_SEAL_DIR": str(self.seal),
            "SEALMESH_COMPAT": "insecure-empty-quotes",
            "SEALMESH_LOG_LEVEL": "error",
        }
        self._configuration = read_configuration({}, environment)
        self._evidence = build_evidence(self._configuration)
        self._settings = build_settings(self._configuration, self._evidence)
        self._workers = workers
        self.parts: list[Parts] = []
        self.kept = Kept()
        self.start()

    def start(self) -> None:
        """Start all Coordinators anew on what the directory holds."""
        for part in self.parts:
            part.close()
        fresh = fresh_authority(self._settings)
        self.parts = [
            compose(self._configuration, self._evidence, self._settings, fresh) for _ in range(self._workers)
        ]

    def lose_key(self) -> None:
        """Start on another machine: the state is there, the platform's key to it is not."""
        (self.seal / "sealed_key").unlink()
        self.start()

    def close(self) -> None:
        """Stop all and forget everything."""
        for part in self.parts:
            part.close()
        self._folder.cleanup()

    def coordinator(self, worker: int) -> Coordinator:
        """Return one of them."""
        return self.parts[worker].coordinator

    def run(self, command: Command, worker: int = 0, keep: Kept | None = None) -> Outcome:
        """Let one worker do `command`; return what the caller sees.

        Args:
            keep: Where new shares and certificates go, if not to those of before.
        """
        try:
            return Done(self._run(command, self.coordinator(worker), self.kept if keep is None else keep))
        except ManifestError:
            return Refused("manifest")
        except SealmeshError as error:
            return Refused(str(error.code))

    def _run(self, command: Command, coordinator: Coordinator, keep: Kept) -> object:
        match command:
            case SetManifest(plan):
                return _keep_shares(coordinator.set_manifest(plan.raw()).recovery_secrets, keep)
            case Activate():
                return _activate(command, coordinator, keep)
            case Propose(user, plan):
                reply = coordinator.update(plan.raw(), chain(user))
            case Acknowledge(user, plan):
                reply = coordinator.acknowledge(plan.raw(), chain(user))
            case RaiseVersion(user, version):
                raw = json.dumps({"Packages": {"oven": {"SecurityVersion": version}}}).encode()
                reply = coordinator.update(raw, chain(user))
            case Cancel(user):
                return coordinator.cancel(chain(user))
            case Upload(user, values):
                uploads = {name: SecretUpload(key=value) for name, value in values}
                return coordinator.set_secrets(uploads, chain(user))
            case Read(user, names):
                found = coordinator.get_secrets(names, chain(user))
                return tuple((name, found[name].private) for name in names if name != "gen")
            case Count(marble, name, value):
                return coordinator.monotonic_counter(name, value, (self.kept.leaves[marble],))
            case Recover(owner, sealing, is_signed):
                share = self.kept.shares[sealing][owner]
                signature = signed(owner, share) if is_signed else b"no signature"
                return coordinator.recover(share, signature).remaining
        secrets = reply.recovery_secrets
        count = None if secrets is None else _keep_shares(secrets, keep)
        return (reply.missing_acknowledgments, reply.missing_users, count)


def _keep_shares(secrets: Mapping[str, bytes], keep: Kept) -> int:
    keep.shares.append({owner: opened(owner, share) for owner, share in secrets.items()})
    return len(secrets)


def _activate(command: Activate, coordinator: Coordinator, keep: Kept) -> object:
    fields = {
        "evidence": b"",
        "csr": request() if command.request else b"no request",
        "marble_type": command.marble,
        "uuid": command.uuid,
        "client_cert": b"certificate",
    }
    if command.own:
        enrolled = coordinator.enrol(EnrolRequest(**fields, coordinator_nonce=bytes(32)))
        leaf, env = enrolled.credentials.certificate_chain[0], enrolled.parameters.env
    else:
        env = coordinator.activate(ActivationRequest(**fields)).parameters.env
        pem = x509.load_pem_x509_certificates(env["MARBLE_PREDEFINED_MARBLE_CERTIFICATE_CHAIN"])
        leaf = pem[0].public_bytes(Encoding.DER)
    keep.leaves.append(leaf)
    return env.get("W")


def chain(user: str) -> tuple[bytes, ...]:
    """Return what the connection of `user` shows."""
    return (certificate(user)[0],)


def check_same(world: World, worker: int, model: Model) -> None:
    """Compare everything that can be seen of one Coordinator with the model."""
    coordinator = world.coordinator(worker)
    assert coordinator.status().code == model.phase
    if model.running is None:
        return
    plan = model.running
    assert coordinator.manifest().raw == plan.raw()
    assert [_line(line) for line in coordinator.update_log()] == list(model.log)
    _check_pending(coordinator, model)
    state = coordinator._engine.state()
    assert {name: state.activations(name) for name in ("capped", "free")} == {
        "capped": model.activations.get("capped", 0),
        "free": 0,
    }
    assert state.package("oven").security_version == (
        plan.version if model.version is None else model.version
    )
    kept = {name: state.shelves.value(places.secret(name)) for name in plan.uploads}
    values = {name: Secret.from_bytes(value).private for name, value in kept.items() if value is not None}
    assert values == model.values
    counters = {key: int(record.value or b"0") for key, record in state.shelves.shelf("counter").items()}
    assert counters == {
        json.dumps(list(key), separators=(",", ":")): n for key, n in model.counters.items() if n
    }
    store = world.parts[worker].seat.store()
    assert store is not None
    assert [_act(leaf) for leaf in store.leaves(0, store.leaf_count())] == list(model.ledger)


def _check_pending(coordinator: Coordinator, model: Model) -> None:
    try:
        found = coordinator.pending_update()
    except NothingPending:
        assert model.pending is None
        return
    assert model.pending is not None
    assert found.raw == model.pending.raw()
    assert found.missing_acknowledgments == model.missing()
    assert list(found.missing_users) == model.missing_users()


def _line(text: str) -> dict[str, object]:
    line = json.loads(text)
    assert line.pop("time").endswith("Z")
    return line


def admitted(world: World) -> list[str]:
    """Return the digests of all Marbles' certificates, as the ledger has them."""
    store = world.parts[0].seat.store()
    assert store is not None
    found = [json.loads(leaf) for leaf in store.leaves(0, store.leaf_count())]
    return [leaf["certificate"] for leaf in found if leaf["act"] == "marble-admitted"]


#: What the model knows of a ledger leaf.
_KNOWN = ("act", "user", "manifest", "missing", "versions", "secrets", "marble", "uuid", "shares")


def _act(leaf: bytes) -> dict[str, object]:
    found = json.loads(leaf)
    return {name: found[name] for name in _KNOWN if name in found}
