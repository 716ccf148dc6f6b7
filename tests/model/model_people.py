"""Who takes part in the model, and the manifests they set: keys are made once, documents from a `Plan`."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

#: May get the role that updates manifests; Dan has packages and secrets, Eve nothing, Mal is a stranger.
UPDATERS = ("ann", "bob", "cyd")
USERS = (*UPDATERS, "dan", "eve")
STRANGER = "mal"
OWNERS = ("key-1", "key-2", "key-3")
UUIDS = ("6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "11111111-2222-4333-8444-555555555555")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A manifest by what the model looks at.

    Attributes:
        number: Makes two plans different bytes.
        updaters: Users with the role that updates the manifest.
        threshold: UpdateThreshold; 0 means all of them.
        limit: MaxActivations of `capped`.
        word: Whether there is the uploaded secret `word`, and the Marble `reader` that needs it.
        owners: How many recovery keys.
        quorum: RecoveryThreshold; 0 means all of them.
        version: SecurityVersion of the package.
        sealed: Whether the state is on the disk.
        broken: Whether the document breaks a rule.
    """

    number: int = 0
    updaters: tuple[str, ...] = UPDATERS
    threshold: int = 0
    limit: int = 2
    word: bool = True
    owners: int = 0
    quorum: int = 0
    version: int = 3
    sealed: bool = True
    broken: bool = False

    def raw(self) -> bytes:
        """Return the document."""
        return _raw(self)

    @property
    def fingerprint(self) -> str:
        """Return the hex SHA-256 of the document."""
        return sha256(self.raw()).hexdigest()

    @property
    def marbles(self) -> tuple[str, ...]:
        """Return the Marble types."""
        return ("free", "capped", "reader") if self.word else ("free", "capped")

    @property
    def uploads(self) -> tuple[str, ...]:
        """Return the secrets that users upload."""
        return ("pin", "word") if self.word else ("pin",)

    @property
    def shares_needed(self) -> int:
        """Return how many owners can recover."""
        return self.quorum or self.owners

    @property
    def share_bytes(self) -> int:
        """Return how long a share is: the key, one part of a sum, or a point of a polynomial."""
        return 33 if 0 < self.quorum < self.owners else 32


@cache
def _raw(plan: Plan) -> bytes:
    secrets = {
        "pin": {"Type": "symmetric-key", "Size": 64, "UserDefined": True},
        "gen": {"Type": "symmetric-key", "Size": 128, "Shared": True},
    }
    marbles = {
        "free": {"Package": "oven", "Parameters": {"Argv": [f"plan {plan.number}"]}},
        "capped": {"Package": "oven", "MaxActivations": plan.limit},
    }
    if plan.word:
        secrets["word"] = {"Type": "plain", "UserDefined": True}
        marbles["reader"] = {"Package": "oven", "Parameters": {"Env": {"W": "{{ string .Secrets.word }}"}}}
    names = sorted(secrets)
    roles = {
        "updates": {"ResourceType": "Manifest", "Actions": ["UpdateManifest"]},
        "raises": {
            "ResourceType": "Packages",
            "ResourceNames": ["oven"],
            "Actions": ["UpdateSecurityVersion"],
        },
        "reads": {"ResourceType": "Secrets", "ResourceNames": names, "Actions": ["ReadSecret"]},
        "writes": {
            "ResourceType": "Secrets",
            "ResourceNames": list(plan.uploads),
            "Actions": ["WriteSecret"],
        },
    }
    of_user = {"dan": ["raises", "reads", "writes"], **{name: ["updates"] for name in plan.updaters}}
    document = {
        "Packages": {"oven": {"SignerID": "c0" * 32, "ProductID": 7, "SecurityVersion": plan.version}},
        "Marbles": marbles,
        "Secrets": secrets,
        "Users": {
            name: {"Certificate": certificate(name)[1], "Roles": of_user.get(name, [])} for name in USERS
        },
        "Roles": roles,
        "RecoveryKeys": {name: owner_pem(name) for name in OWNERS[: plan.owners]},
        "Config": {
            "FeatureGates": ["MonotonicCounter"],
            "UpdateThreshold": plan.threshold,
            "RecoveryThreshold": plan.quorum,
            **({} if plan.sealed else {"SealMode": "Disabled"}),
        },
    }
    if plan.broken:
        document["Roles"]["raises"]["ResourceNames"] = ["no-such-package"]
    return json.dumps(document).encode()


@cache
def certificate(name: str) -> tuple[bytes, str]:
    """Return a user's certificate, DER and PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(subject, subject, key.public_key(), 1, now, now + timedelta(days=1)).sign(
        key, hashes.SHA256()
    )
    return made.public_bytes(Encoding.DER), made.public_bytes(Encoding.PEM).decode()


@cache
def owner_key(name: str) -> rsa.RSAPrivateKey:
    """Return the key of an owner of recovery."""
    return rsa.generate_private_key(65537, 2048)


def owner_pem(name: str) -> str:
    """Return an owner's public key as the manifest has it."""
    public = owner_key(name).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def opened(owner: str, share: bytes) -> bytes:
    """Return the plain share that was encrypted to `owner`."""
    algorithm = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    return owner_key(owner).decrypt(share, algorithm)


def signed(owner: str, share: bytes) -> bytes:
    """Return the signature by which `owner` gives a share."""
    return owner_key(owner).sign(share, padding.PKCS1v15(), hashes.SHA256())


@cache
def request() -> bytes:
    """Return a certificate request, DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return made.public_bytes(Encoding.DER)


@cache
def make_keys() -> None:
    """Make all keys and certificates now."""
    for name in (*USERS, STRANGER):
        certificate(name)
    for name in OWNERS:
        owner_key(name)
    request()
