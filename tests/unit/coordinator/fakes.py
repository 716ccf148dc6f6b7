"""An in-memory store and seat, a stopped clock, counted entropy: shared by this area's tests."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from threading import Lock

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.adapters.keys import OsKeyFactory
from sealmesh.coordinator.api import ActivationRequest, EnrolRequest
from sealmesh.coordinator.context import Settings
from sealmesh.coordinator.coordinator import Coordinator
from sealmesh.coordinator.engine import Engine
from sealmesh.coordinator.examination import Examiner
from sealmesh.coordinator.own_evidence import OwnEvidence
from sealmesh.coordinator.ports import Change, Founded, Record, SealPlan, Snapshot
from sealmesh.coordinator.relaxation import Relaxation
from sealmesh.errors.attestation import EndorserError
from sealmesh.errors.store import StoreConflict
from sealmesh.ledger import EMPTY
from sealmesh.pki import MARBLERUN_NAMES, SEALMESH_NAMES, issue_authority

NOW = datetime(2026, 3, 4, 5, 6, 7, 890_000, tzinfo=UTC)


class FakeClock:
    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


class FakeEntropy:
    """Different bytes at every call, the same in every run."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, count: int, /) -> bytes:
        self.calls += 1
        return b"".join(sha256(b"%d %d" % (self.calls, n)).digest() for n in range(count // 32 + 1))[:count]


class MemoryStore:
    """A `Store` as simple as the protocol allows."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.at = 0
        self.appended: list[bytes] = []
        self.lock = Lock()
        self.before_commit: Callable[[], None] | None = None
        self.commits: list[Change] = []

    def load(self, since: int = 0) -> Snapshot:
        with self.lock:
            changed = [
                record
                for record in self.records.values()
                if record.version > since and (since or record.value is not None)
            ]
            return Snapshot(version=self.at, records=tuple(changed))

    def version(self) -> int:
        return self.at

    def commit(self, change: Change) -> int:
        if self.before_commit is not None:
            hook, self.before_commit = self.before_commit, None
            hook()
        with self.lock:
            for key, wanted in change.expects.items():
                record = self.records.get(key)
                found = 0 if record is None or record.value is None else record.version
                if found != wanted:
                    raise StoreConflict(key)
            self.at += 1
            for key, value in change.puts.items():
                self.records[key] = Record(key=key, version=self.at, value=value)
            self.appended.extend(change.appends)
            self.commits.append(change)
            return self.at

    def leaf_count(self) -> int:
        return len(self.appended)

    def leaves(self, start: int, stop: int) -> list[bytes]:
        return self.appended[start:stop]

    def frontier(self) -> tuple[int, tuple[bytes, ...]]:
        frontier = EMPTY.extend(self.appended)
        return frontier.size, frontier.roots

    def close(self) -> None: ...


@dataclass
class MemorySeat:
    """A `Seat` without files."""

    opened: MemoryStore | None = None
    in_recovery: bool = False
    plans: list[SealPlan] = field(default_factory=list)

    def store(self) -> MemoryStore | None:
        return self.opened

    def needs_recovery(self) -> bool:
        return self.in_recovery

    def found(self, change: Change, plan: SealPlan) -> Founded:
        if self.opened is not None:
            raise StoreConflict("state/manifest")
        store = MemoryStore()
        store.commit(change)
        self.opened, self.in_recovery = store, False
        self.plans.append(plan)
        return Founded(store=store, recovery_secrets=dict.fromkeys(plan.recovery_keys, b"share"))

    def rekey(self, change: Change, plan: SealPlan) -> Founded:
        assert self.opened is not None
        self.opened.commit(change)
        self.plans.append(plan)
        return Founded(store=self.opened, recovery_secrets=dict.fromkeys(plan.recovery_keys, b"new share"))

    def recovery(self) -> None:
        return None

    def age(self, encryption_key: bytes) -> str:
        return ""

    def recovery_scheme(self) -> None:
        return None


class NoEndorser:
    def collateral_for(self, evidence: object) -> bytes:
        raise EndorserError("no collateral")


ALL = frozenset(Relaxation)


def fresh_authority(clock: FakeClock, settings: Settings):
    relaxed = settings.relaxed(Relaxation.MARBLERUN_NAMES)
    return issue_authority(
        OsKeyFactory(),
        names=MARBLERUN_NAMES if relaxed else SEALMESH_NAMES,
        dns_names=settings.dns_names,
        now=clock(),
        lifetime=settings.ca_lifetime,
        entropy=FakeEntropy(),
        simulation=settings.simulation,
    )


def make_engine(*, seat=None, settings=None, clock=None, authority=None, keys=None, entropy=None) -> Engine:
    clock = clock or FakeClock()
    settings = settings or Settings(relaxations=ALL)
    return Engine(
        seat=seat if seat is not None else MemorySeat(),
        fresh=authority or fresh_authority(clock, settings),
        settings=settings,
        clock=clock,
        entropy=entropy or FakeEntropy(),
        keys=keys or OsKeyFactory(),
    )


def make_coordinator(*, engine=None, attester=None, endorser=None, **how) -> Coordinator:
    engine = engine or make_engine(**how)
    return Coordinator(
        engine=engine,
        examiner=Examiner(endorser=endorser or NoEndorser(), roots=engine.settings.roots),
        own=OwnEvidence(attester=attester, clock=engine.clock),
        exclusive=Lock(),
    )


def manifest_bytes(document: dict | None = None, **marbles: dict) -> bytes:
    """The smallest manifest with these Marbles (or one `baker`), and the top-level keys of `document`."""
    base = {
        "Packages": {"oven": {"SignerID": "c0" * 32, "ProductID": 7, "SecurityVersion": 3}},
        "Marbles": {name: {"Package": "oven", **more} for name, more in (marbles or {"baker": {}}).items()},
    }
    return json.dumps(base | (document or {})).encode()


def request_bytes(*names: str, key=None, subject: x509.Name | None = None) -> bytes:
    """A CSR asking for these DNS names."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject or x509.Name([]))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
    request = builder.sign(key or MARBLE_KEY, hashes.SHA256())
    return request.public_bytes(Encoding.DER)


MARBLE_KEY = ec.generate_private_key(ec.SECP256R1())
UUID = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"


def activation(marble_type: str = "baker", **how) -> ActivationRequest:
    fields = {"evidence": b"", "csr": request_bytes("localhost"), "uuid": UUID, "client_cert": b"certificate"}
    return ActivationRequest(marble_type=marble_type, **(fields | how))


def enrolment(marble_type: str = "baker", **how) -> EnrolRequest:
    fields = {"evidence": b"", "csr": request_bytes("localhost"), "uuid": UUID, "client_cert": b"certificate"}
    return EnrolRequest(marble_type=marble_type, **({"coordinator_nonce": b"n" * 32} | fields | how))
