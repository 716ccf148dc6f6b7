"""What comes from a stencil is, byte for byte, what the library would have written from the profile."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from uuid import UUID, uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealmesh.errors.pki import IssuingError
from sealmesh.pki import (
    Authority,
    SecretCertificateProfile,
    SubjectNames,
    issue_leaf,
    issue_secret_certificate,
)
from sealmesh.pki.names import Subject
from sealmesh.pki.profile import Validity
from sealmesh.pki.stencil import Stencil, Stencils

NOW = datetime(2031, 5, 4, 12, 0, 0, tzinfo=UTC)
KEYS = (
    ec.generate_private_key(ec.SECP256R1()),
    ec.generate_private_key(ec.SECP384R1()),
    ec.generate_private_key(ec.SECP521R1()),
    ed25519.Ed25519PrivateKey.generate(),
)
SERIALS = st.integers(1, (1 << 159) - 1)
TYPES = st.sampled_from(["baker", "f_ront end", "Bäcker"])
HOSTS = st.lists(st.sampled_from(["a.example", "*.b.example", "localhost"]), max_size=3, unique=True)
SUBJECTS = st.sampled_from(
    [
        x509.Name([]),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fake")]),
        x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "DE")]),
    ]
)


def without_stencils(authority: Authority) -> Authority:
    return Authority.from_bytes(authority.to_bytes())


def signed_part(certificate: x509.Certificate) -> bytes:
    return certificate.tbs_certificate_bytes


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    marble_type=TYPES,
    dns_names=HOSTS,
    subject=SUBJECTS,
    simulation=st.booleans(),
    spiffe_id=st.booleans(),
    second=st.fixed_dictionaries(
        {
            "uuid": st.uuids(),
            "serial": SERIALS,
            "lifetime": st.integers(1, 20 * 86400).map(lambda seconds: timedelta(seconds=seconds)),
            "public_key": st.sampled_from([key.public_key() for key in KEYS]),
        }
    ),
)
def test_a_second_leaf_is_what_the_library_writes(
    make_authority, marble_type, dns_names, subject, simulation, spiffe_id, second
):
    authority = _SHARED.setdefault("authority", make_authority())
    kind = {
        "marble_type": marble_type,
        "dns_names": dns_names,
        "ip_addresses": [ip_address("10.0.0.1")],
        "subject": subject,
        "simulation": simulation,
        "spiffe_id": spiffe_id,
        "now": NOW,
    }
    first = {"uuid": uuid4(), "serial": 7, "lifetime": timedelta(hours=1), "public_key": KEYS[0].public_key()}
    issue_leaf(authority, **kind, **first)
    pressed = issue_leaf(authority, **kind, **second)
    if "reference" not in _SHARED:
        _SHARED["reference"] = without_stencils(authority)
    reference = replace(_SHARED["reference"])  # a new issuer, without stencils
    assert signed_part(pressed) == signed_part(issue_leaf(reference, **kind, **second))
    pressed.verify_directly_issued_by(authority.marble_root_cert)


_SHARED: dict[str, Authority] = {}


@pytest.mark.parametrize("year", [2031, 2049, 2050, 2060])
@pytest.mark.parametrize("key", KEYS, ids=["P-256", "P-384", "P-521", "Ed25519"])
def test_a_second_certificate_of_the_manifest_is_what_the_library_writes(authority, key, year):
    profile = SecretCertificateProfile(
        subject=Subject(common_name="Kuchen", organization=("Guild",)),
        names=SubjectNames(dns=("a.example",), uris=("https://a.example/",)),
        not_after=datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC),
    )
    terms = {"public_key": key.public_key(), "now": NOW}
    issue_secret_certificate(authority, profile, public_key=KEYS[0].public_key(), now=NOW, serial=1)
    pressed = issue_secret_certificate(authority, profile, **terms, serial=2)
    expected = issue_secret_certificate(without_stencils(authority), profile, **terms, serial=2)
    assert signed_part(pressed) == signed_part(expected)


def test_another_kind_has_another_stencil(authority, make_leaf):
    names = make_leaf(dns_names=["a.example"]), make_leaf(dns_names=["b.example"])
    found = [item.extensions.get_extension_for_class(x509.SubjectAlternativeName).value for item in names]
    assert [item.get_values_for_type(x509.DNSName) for item in found] == [["a.example"], ["b.example"]]


@pytest.mark.parametrize("spiffe_id", [True, False])
def test_a_host_name_that_contains_the_first_ones_uuid_stays_as_it_is(make_authority, make_leaf, spiffe_id):
    mesh = make_authority()
    first, second = UUID(int=1), UUID(int=2)
    host = f"{first}.example"
    terms = {"mesh": mesh, "dns_names": [host], "spiffe_id": spiffe_id}
    make_leaf(uuid=first, **terms)
    names = make_leaf(uuid=second, **terms).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.DNSName) == [host]


def test_a_subject_that_contains_the_first_ones_uuid_stays_as_it_is(make_authority, make_leaf):
    mesh = make_authority()
    first, second = UUID(int=1), UUID(int=2)
    asked = x509.Name([x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, str(first))])
    make_leaf(mesh=mesh, uuid=first, subject=asked)
    subject = make_leaf(mesh=mesh, uuid=second, subject=asked).subject
    assert subject.rfc4514_string() == f"CN={second},OU={first}"


@pytest.fixture
def stencil(make_leaf):
    leaf = make_leaf()
    return Stencil.cut(leaf, own_name=str(UUID("6f9619ff-8b86-4d01-b42d-00cf4fc964ff")), places=1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"serial": 0},
        {"serial": -1},
        {"serial": 1 << 159},
        {"own_name": "short"},
        {"own_name": ""},
        {"validity": Validity(not_before=NOW, not_after=NOW - timedelta(seconds=1))},
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(authority, stencil, wrong):
    right = {
        "serial": 1,
        "own_name": str(UUID(int=5)),
        "validity": Validity(not_before=NOW, not_after=NOW + timedelta(hours=1)),
    }
    key = authority.marble_issuer.key
    assert stencil.issue(key, public_key=KEYS[0].public_key(), **right).serial_number == 1
    with pytest.raises(IssuingError):
        stencil.issue(key, public_key=KEYS[0].public_key(), **{**right, **wrong})


def test_a_stencil_that_was_spoiled_issues_nothing(authority, stencil):
    spoiled = replace(stencil, extensions=stencil.extensions[:-1])
    with pytest.raises(IssuingError, match="read back"):
        spoiled.issue(
            authority.marble_issuer.key,
            public_key=KEYS[0].public_key(),
            serial=1,
            validity=Validity(not_before=NOW, not_after=NOW + timedelta(hours=1)),
            own_name=str(UUID(int=5)),
        )


def test_who_asks_for_ever_new_kinds_does_not_fill_the_memory(make_leaf):
    stencils, leaf = Stencils(), make_leaf()
    for number in range(1000):
        stencils.keep(number, leaf)
    assert len(stencils._kept) <= 256
    assert stencils.get(999) is not None
