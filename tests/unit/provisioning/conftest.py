"""A mesh, keys, a stopped clock and a manifest with every kind of secret."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from sealmesh.adapters.keys import OsKeyFactory
from sealmesh.manifest import Manifest, Marble, Parameter, Parameters, SecretDefinition, SecretType, TlsTag
from sealmesh.pki import Authority, issue_authority, issue_leaf
from sealmesh.pki.names import Subject
from sealmesh.provisioning import MarbleRunSecrets

NOW = datetime(2031, 5, 4, 12, 0, 0, tzinfo=UTC)
U = UUID("6f9619ff-8b86-4d01-b42d-00cf4fc964ff")


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def keys() -> OsKeyFactory:
    return OsKeyFactory()


@pytest.fixture(scope="session")
def authority(keys) -> Authority:
    return issue_authority(
        keys,
        dns_names=["localhost"],
        now=NOW,
        lifetime=timedelta(days=30),
        entropy=lambda size: b"\x07" * size,
        simulation=False,
    )


@pytest.fixture(scope="session")
def leaf_key(keys):
    return keys.ec(384)


@pytest.fixture(scope="session")
def leaf(authority, leaf_key):
    return issue_leaf(
        authority,
        public_key=leaf_key.public_key(),
        uuid=U,
        marble_type="baker",
        subject=Subject().to_name(),
        dns_names=["localhost"],
        ip_addresses=[],
        now=NOW,
        lifetime=timedelta(days=1),
        serial=5,
        simulation=False,
    )


@pytest.fixture(scope="session")
def special(authority, leaf, leaf_key) -> MarbleRunSecrets:
    return MarbleRunSecrets.of(authority, leaf=leaf, key=leaf_key)


@pytest.fixture(scope="session")
def own_special(authority, leaf) -> MarbleRunSecrets:
    return MarbleRunSecrets.of(authority, leaf=leaf, key=None)


@pytest.fixture(scope="session")
def definitions() -> dict[str, SecretDefinition]:
    return {
        "k": SecretDefinition(type=SecretType.SYMMETRIC_KEY, size=128, shared=True),
        "own": SecretDefinition(type=SecretType.SYMMETRIC_KEY, size=256),
        "word": SecretDefinition(type=SecretType.PLAIN, user_defined=True),
        "pin": SecretDefinition(type=SecretType.SYMMETRIC_KEY, size=128, user_defined=True),
        "front": SecretDefinition(type=SecretType.CERT_ECDSA, size=256, shared=True),
        "shop": SecretDefinition(type=SecretType.CERT_RSA, user_defined=True),
    }


@pytest.fixture(scope="session")
def make_manifest(definitions):
    """Return a manifest with one Marble type, `baker`."""

    def make(
        *,
        files: dict[str, bytes | str | Parameter] | None = None,
        env: dict[str, bytes | str | Parameter] | None = None,
        tls: dict[str, TlsTag] | None = None,
        secrets: dict[str, SecretDefinition] | None = None,
        **marble,
    ) -> Manifest:
        parameters = Parameters(files=_parameters(files), env=_parameters(env), argv=marble.pop("argv", ()))
        baker = Marble(package="oven", parameters=parameters, tls=tuple(tls or ()), **marble)
        return Manifest(
            packages={},
            marbles={"baker": baker},
            tls=tls or {},
            secrets=definitions if secrets is None else secrets,
        )

    return make


def _parameters(given: dict[str, bytes | str | Parameter] | None) -> dict[str, Parameter]:
    made = {}
    for name, value in (given or {}).items():
        if isinstance(value, Parameter):
            made[name] = value
        else:
            made[name] = Parameter(data=value.encode() if isinstance(value, str) else value)
    return made
