from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from sealmesh.errors.pki import IssuingError
from sealmesh.pki import MARBLE_TYPE_OID, SIMULATION_OID, Issuer, check_issued, issue
from sealmesh.pki.extensions import LEAF_KEY_USAGE
from sealmesh.pki.names import common_name
from sealmesh.pki.profile import CertificateProfile, SubjectNames, Validity

NOW = datetime(2031, 5, 4, 12, 0, 0, tzinfo=UTC)
UUID_1 = UUID("6f9619ff-8b86-4d01-b42d-00cf4fc964ff")


def extension(certificate, kind):
    return certificate.extensions.get_extension_for_class(kind)


def test_a_leaf_follows_the_profile(authority, make_leaf, leaf_key):
    leaf = make_leaf(
        dns_names=["a.example", "*.b.example", "localhost"],
        ip_addresses=[ip_address("10.0.0.1"), ip_address("::1")],
    )
    assert leaf.subject.rfc4514_string() == f"CN={UUID_1}"
    assert leaf.issuer == authority.intermediate_cert.subject
    assert leaf.public_key() == leaf_key.public_key()
    usage = extension(leaf, x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert usage.value.key_agreement
    assert not usage.value.key_cert_sign
    constraints = extension(leaf, x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value == x509.BasicConstraints(ca=False, path_length=None)
    names = extension(leaf, x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.example", "*.b.example", "localhost"]
    assert [str(item) for item in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.1", "::1"]
    uri = f"spiffe://{authority.trust_domain}/marble/baker/{UUID_1}"
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [uri]
    marble_type = leaf.extensions.get_extension_for_oid(x509.ObjectIdentifier(MARBLE_TYPE_OID))
    assert not marble_type.critical
    assert marble_type.value.value == b"baker"
    assert extension(leaf, x509.AuthorityKeyIdentifier).value.key_identifier == (
        extension(authority.marble_root_cert, x509.SubjectKeyIdentifier).value.key_identifier
    )
    leaf.verify_directly_issued_by(authority.intermediate_cert)
    leaf.verify_directly_issued_by(authority.marble_root_cert)


def test_the_requests_subject_survives_but_for_common_name_and_organization(make_leaf):
    asked = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "fake"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Fake Org"),
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Unit"),
            x509.NameAttribute(NameOID.GIVEN_NAME, "nobody asked"),
        ]
    )
    assert make_leaf(subject=asked).subject.rfc4514_string() == f"CN={UUID_1},OU=Unit,C=DE"


def test_a_leaf_does_not_outlive_its_issuers(authority, make_leaf):
    leaf = make_leaf(lifetime=timedelta(days=10_000))
    assert leaf.not_valid_after_utc == authority.intermediate_cert.not_valid_after_utc
    assert leaf.not_valid_before_utc >= authority.intermediate_cert.not_valid_before_utc


def test_no_leaf_is_issued_when_the_issuer_has_expired(make_leaf):
    with pytest.raises(IssuingError):
        make_leaf(now=NOW + timedelta(days=31))


def test_a_simulated_mesh_stamps_its_leaves(make_leaf):
    leaf = make_leaf(simulation=True)
    assert leaf.extensions.get_extension_for_oid(x509.ObjectIdentifier(SIMULATION_OID))


def profile(leaf_key, **changes):
    terms = {
        "subject": common_name("x"),
        "public_key": leaf_key.public_key(),
        "serial": 5,
        "validity": Validity(not_before=NOW, not_after=NOW + timedelta(hours=1)),
        "names": SubjectNames(dns=("a.example",)),
        "key_usage": LEAF_KEY_USAGE,
        "marble_type": "baker",
    }
    return CertificateProfile(**{**terms, **changes})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"subject": common_name("y")}, "subject"),
        ({"serial": 6}, "serial number"),
        ({"validity": Validity(not_before=NOW, not_after=NOW + timedelta(hours=2))}, "validity"),
        ({"names": SubjectNames(dns=("b.example",))}, "extensions"),
        ({"names": SubjectNames(dns=("a.example", "b.example"))}, "extensions"),
        ({"marble_type": "thief"}, "extensions"),
        ({"ca": True}, "extensions"),
        ({"simulation": True}, "extensions"),
    ],
)
def test_what_differs_from_the_profile_is_withheld(authority, leaf_key, change, named):
    issuer = authority.marble_issuer
    issued = issue(profile(leaf_key, **change), issuer, check_signature=True).public_bytes(Encoding.DER)
    with pytest.raises(IssuingError) as caught:
        check_issued(issued, profile(leaf_key), issuer, check_signature=False)
    assert caught.value.found == named


def test_a_certificate_over_another_key_is_withheld(authority, leaf_key, keys):
    issuer = authority.marble_issuer
    other = profile(leaf_key, public_key=keys.ec(256).public_key())
    issued = issue(other, issuer, check_signature=True).public_bytes(Encoding.DER)
    with pytest.raises(IssuingError) as caught:
        check_issued(issued, profile(leaf_key), issuer, check_signature=False)
    assert caught.value.found == "public key"


def test_a_validity_beyond_the_issuers_is_withheld(authority, leaf_key):
    long = Validity(not_before=NOW, not_after=NOW + timedelta(days=300))
    with pytest.raises(IssuingError) as caught:
        issue(profile(leaf_key, validity=long), authority.marble_issuer, check_signature=False)
    assert caught.value.found == "validity within the issuer's"


def test_a_signature_by_another_key_is_withheld(authority, other_authority, leaf_key):
    wrong = Issuer.of(authority.intermediate_cert, other_authority.intermediate_key)
    with pytest.raises(IssuingError):
        check_issued(
            issue(profile(leaf_key), wrong, check_signature=False).public_bytes(Encoding.DER),
            profile(leaf_key),
            authority.marble_issuer,
            check_signature=True,
        )


@pytest.mark.parametrize("serial", [0, -1, 2**160])
def test_a_serial_number_out_of_range_is_refused(make_leaf, serial):
    with pytest.raises(IssuingError):
        make_leaf(serial=serial)
