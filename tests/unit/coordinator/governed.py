"""A Coordinator under Governance, its users and its approvers: shared by this area's tests."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import fakes
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from sealmesh.coordinator.approvals.making import Consent, make_approval
from sealmesh.coordinator.approvals.mesh import ManifestEpoch, Mesh
from sealmesh.coordinator.context import Settings
from sealmesh.coordinator.coordinator import Coordinator
from sealmesh.coordinator.relaxation import Relaxation
from sealmesh.manifest import GovernedAct

EMPTY_QUOTES = Settings(relaxations=frozenset({Relaxation.INSECURE_EMPTY_QUOTES}))


class Key:
    """An ECDSA key in memory."""

    def __init__(self, private=None) -> None:
        self.private = private or ec.generate_private_key(ec.SECP256R1())
        self.public = self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message, ec.ECDSA(hashes.SHA256()))

    @property
    def pem(self) -> str:
        return (
            self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        )


def certificate(key: Key, name: str, *, issuer=None, issuer_key: Key | None = None, serial: int = 1):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.private.public_key())
        .serial_number(serial)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2021, 1, 1, tzinfo=UTC))
        .sign((issuer_key or key).private, hashes.SHA256())
    )


def der(one: x509.Certificate) -> bytes:
    return one.public_bytes(Encoding.DER)


KEYS = {name: Key() for name in ("alice", "bob", "carol", "ada", "eve", "mallory")}
CERTIFICATES = {name: certificate(KEYS[name], name) for name in ("ada", "eve", "mallory")}
CHAINS = {name: (der(one),) for name, one in CERTIFICATES.items()}
ADA, EVE, MALLORY = CHAINS["ada"], CHAINS["eve"], CHAINS["mallory"]
EVERYTHING = {str(act): {"Threshold": 2} for act in GovernedAct}
ROLES = {
    "updater": {"ResourceType": "Manifest", "Actions": ["UpdateManifest"]},
    "packager": {
        "ResourceType": "Packages",
        "ResourceNames": ["oven"],
        "Actions": ["UpdateSecurityVersion"],
    },
    "keeper": {
        "ResourceType": "Secrets",
        "ResourceNames": ["recipe"],
        "Actions": ["ReadSecret", "WriteSecret"],
    },
}


def users(*names: str, roles=tuple(ROLES)) -> dict:
    return {
        name: {
            "Certificate": CERTIFICATES[name].public_bytes(Encoding.PEM).decode(),
            "Roles": list(roles),
        }
        for name in names
    }


def manifest(rules=None, **more) -> bytes:
    """Eve may do everything that roles can give, and so may ada; what the rules name takes two of three."""
    document = {
        "Packages": {"oven": {"SignerID": "c0" * 32, "ProductID": 7, "SecurityVersion": 3}},
        "Marbles": {"baker": {"Package": "oven"}},
        "Secrets": {"recipe": {"Type": "plain", "UserDefined": True, "Shared": True}},
        "Users": users("ada", "eve"),
        "Roles": ROLES,
        "Config": {"FeatureGates": ["Governance"], "UpdateThreshold": 1},
        "Governance": {
            "Approvers": {name: {"Keys": [KEYS[name].pem]} for name in ("alice", "bob", "carol")},
            "Rules": EVERYTHING if rules is None else rules,
        },
    }
    merged = document | more
    return json.dumps({name: value for name, value in merged.items() if value is not None}).encode()


@dataclass
class World:
    """One Coordinator and what its approvers know of it."""

    coordinator: Coordinator
    clock: object

    @property
    def store(self):
        return self.coordinator._engine.seat.opened

    @property
    def state(self):
        return self.coordinator._engine.state()

    def consent(self, act: GovernedAct, subject: str, approver: str = "alice", **changes) -> Consent:
        shown = self.coordinator.governance()
        consent = Consent(
            mesh=Mesh(trust_domain=shown.trust_domain, root=shown.root),
            manifest=None
            if shown.manifest is None
            else ManifestEpoch(fingerprint=shown.manifest, number=shown.epoch),
            act=act,
            subject=subject,
            approver=approver,
            reason="planned",
            not_after=self.clock() + timedelta(days=1),
        )
        return replace(consent, **changes)

    def approval(
        self, act: GovernedAct, subject: str, approver: str = "alice", *, key=None, **changes
    ) -> bytes:
        signer = KEYS[approver] if key is None else key
        consent = self.consent(act, subject, approver, **changes)
        return make_approval(consent, signer, entropy=self.coordinator._engine.context().entropy)

    def approve(self, act: GovernedAct, subject: str, *approvers: str) -> None:
        for name in approvers or ("alice", "bob"):
            self.coordinator.submit_approval(self.approval(act, subject, name), EVE)

    def events(self) -> list[str]:
        return [json.loads(line)["update"] for line in self.coordinator.update_log()]

    def leaves(self) -> list[str]:
        return [json.loads(leaf)["act"] for leaf in self.store.appended]

    def facts(self) -> dict:
        """All records but the log's and its counts: what a refusal must leave as it is."""
        return {
            key: record.value
            for key, record in self.store.records.items()
            if not key.startswith(("log/", "refusals/")) and record.value is not None
        }


def world(raw: bytes | None = None, settings: Settings = EMPTY_QUOTES) -> World:
    clock = fakes.FakeClock()
    coordinator = fakes.make_coordinator(settings=settings, clock=clock)
    coordinator.set_manifest(raw or manifest())
    return World(coordinator=coordinator, clock=clock)
