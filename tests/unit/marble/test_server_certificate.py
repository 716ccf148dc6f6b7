"""Which certificate a Marble takes for its Coordinator's when it has joined."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.adapters.keys import OsKeyFactory
from sealmesh.errors.marble import CoordinatorRefused
from sealmesh.marble.verification import Received, Wanted, verify_certificates
from sealmesh.pki import Authority, issue_authority, issue_leaf, issue_server_leaf

NOW = datetime(2031, 5, 4, 12, tzinfo=UTC)
KEY, OTHER = (ec.generate_private_key(ec.SECP256R1()).public_key() for _ in range(2))
UUID_1 = UUID(int=1)


def mesh() -> Authority:
    counter = itertools.count(1)
    return issue_authority(
        OsKeyFactory(),
        dns_names=["localhost"],
        now=NOW - timedelta(days=2),
        lifetime=timedelta(days=30),
        entropy=lambda size: next(counter).to_bytes(size, "big"),
        simulation=False,
    )


MESH, ANOTHER = mesh(), mesh()


def marble(public_key: ec.EllipticCurvePublicKey, uuid: UUID) -> bytes:
    leaf = issue_leaf(
        MESH,
        public_key=public_key,
        uuid=uuid,
        marble_type="shop",
        subject=x509.Name([]),
        dns_names=("localhost",),
        ip_addresses=(),
        now=NOW,
        lifetime=timedelta(days=1),
        serial=5,
        simulation=False,
    )
    return leaf.public_bytes(Encoding.DER)


def server(authority: Authority = MESH, now: datetime = NOW) -> bytes:
    leaf = issue_server_leaf(
        authority, public_key=OTHER, now=now, lifetime=timedelta(hours=24), serial=6, simulation=False
    )
    return leaf.public_bytes(Encoding.DER)


RECEIVED = Received(
    coordinator_chain=(MESH.intermediate_der, MESH.root_der),
    certificate_chain=(marble(KEY, UUID_1), MESH.intermediate_der),
    marble_root=MESH.marble_root_der,
    server_certificate=server(),
)
WANTED = Wanted(public_key=KEY, marble_type="shop", uuid=UUID_1, now=NOW)


@pytest.mark.parametrize("shown", [server(), MESH.marble_root_der], ids=["its own", "the Marble root"])
def test_a_certificate_of_the_attested_coordinator_is_taken(shown: bytes) -> None:
    assert verify_certificates(replace(RECEIVED, server_certificate=shown), WANTED).root == MESH.root_der


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        pytest.param(marble(OTHER, UUID(int=2)), "kind", id="another Marble between"),
        pytest.param(server(ANOTHER), "not issued by the mesh", id="the Coordinator of another mesh"),
        pytest.param(ANOTHER.marble_root_der, "not issued by the mesh", id="another Marble root"),
        pytest.param(server(now=NOW - timedelta(days=1, hours=2)), "not valid now", id="an old key"),
    ],
)
def test_who_ends_tls_in_between_is_refused(shown: bytes, said: str) -> None:
    with pytest.raises(CoordinatorRefused) as caught:
        verify_certificates(replace(RECEIVED, server_certificate=shown), WANTED)
    assert caught.value.message == "The server does not have the attested Coordinator's key"
    assert said in str(caught.value.found)
    assert "ends TLS" in (caught.value.remedy or "")
