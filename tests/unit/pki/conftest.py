"""One mesh for all tests of the area, and a stopped clock."""

import itertools
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from sealmesh.adapters.keys import OsKeyFactory
from sealmesh.pki import Authority, issue_authority, issue_leaf, new_serial

NOW = datetime(2031, 5, 4, 12, 0, 0, tzinfo=UTC)
UUID_1 = UUID("6f9619ff-8b86-4d01-b42d-00cf4fc964ff")


def counting_entropy():
    counter = itertools.count(1)
    return lambda size: next(counter).to_bytes(size, "big")


@pytest.fixture(scope="session")
def entropy():
    return counting_entropy()


@pytest.fixture(scope="session")
def keys():
    return OsKeyFactory()


def _make_authority(**changes) -> Authority:
    terms = {
        "dns_names": ["localhost"],
        "now": NOW,
        "lifetime": timedelta(days=30),
        "entropy": counting_entropy(),
        "simulation": False,
    }
    return issue_authority(OsKeyFactory(), **{**terms, **changes})


@pytest.fixture(scope="session")
def make_authority():
    return _make_authority


@pytest.fixture(scope="session")
def authority():
    return _make_authority()


@pytest.fixture(scope="session")
def other_authority():
    return _make_authority()


@pytest.fixture(scope="session")
def leaf_key():
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def make_leaf(authority, leaf_key, entropy):
    def make(mesh=authority, **changes) -> x509.Certificate:
        terms = {
            "public_key": leaf_key.public_key(),
            "uuid": UUID_1,
            "marble_type": "baker",
            "subject": x509.Name([]),
            "dns_names": ["localhost"],
            "ip_addresses": [],
            "now": NOW,
            "lifetime": timedelta(hours=1),
            "serial": new_serial(entropy),
            "simulation": False,
        }
        return issue_leaf(mesh, **{**terms, **changes})

    return make
