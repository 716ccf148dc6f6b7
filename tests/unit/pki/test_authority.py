from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.errors.pki import AuthorityError, IssuingError
from sealmesh.pki import (
    MARBLERUN_NAMES,
    SIMULATION_OID,
    Authority,
    extend_authority,
    renew_intermediate,
    verify_marble_chain,
)

NOW = datetime(2031, 5, 4, 12, 0, 0, tzinfo=UTC)


def certificates(authority):
    return [authority.root_cert, authority.intermediate_cert, authority.marble_root_cert]


def extension(certificate, kind):
    return certificate.extensions.get_extension_for_class(kind)


def has(certificate, kind):
    return any(isinstance(item.value, kind) for item in certificate.extensions)


@pytest.mark.parametrize("which", [0, 1, 2], ids=["root", "intermediate", "Marble root"])
def test_ca_certificates_follow_the_profile(authority, which):
    certificate = certificates(authority)[which]
    usage = extension(certificate, x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert usage.value.key_cert_sign
    assert not usage.value.crl_sign
    constraints = extension(certificate, x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value == x509.BasicConstraints(ca=True, path_length=None)
    extended = extension(certificate, x509.ExtendedKeyUsage)
    assert [item.dotted_string for item in extended.value] == ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]
    names = extension(certificate, x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(item) for item in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [f"spiffe://{authority.trust_domain}"]
    assert certificate.version is x509.Version.v3
    assert certificate.signature_algorithm_oid.dotted_string == "1.2.840.10045.4.3.3"
    assert {item.oid.dotted_string for item in certificate.extensions if item.critical} == {
        "2.5.29.15",
        "2.5.29.19",
    }
    assert has(certificate, x509.SubjectKeyIdentifier)
    assert certificate.not_valid_after_utc == NOW + timedelta(days=30)


def test_only_the_intermediate_is_issued_by_another(authority):
    root, intermediate, marble_root = certificates(authority)
    assert [has(item, x509.AuthorityKeyIdentifier) for item in (root, intermediate, marble_root)] == [
        False,
        True,
        False,
    ]
    assert intermediate.subject == marble_root.subject == marble_root.issuer
    assert intermediate.public_key() == marble_root.public_key() != root.public_key()
    intermediate.verify_directly_issued_by(root)
    marble_root.verify_directly_issued_by(marble_root)
    assert root.subject.rfc4514_string() == "CN=sealmesh Coordinator"
    assert intermediate.subject.rfc4514_string() == "CN=sealmesh Coordinator - Intermediate CA"


def test_names_and_addresses_of_the_environment_follow_loopback_once(make_authority):
    authority = make_authority(
        dns_names=["oven.example", "*.bakery.example", "oven.example"],
        ip_addresses=[ip_address("10.1.2.3"), ip_address("127.0.0.1"), ip_address("::2")],
        names=MARBLERUN_NAMES,
        simulation=True,
    )
    for certificate in certificates(authority):
        names = extension(certificate, x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["oven.example", "*.bakery.example"]
        addresses = [str(item) for item in names.get_values_for_type(x509.IPAddress)]
        assert addresses == ["127.0.0.1", "::1", "10.1.2.3", "::2"]
        stamp = certificate.extensions.get_extension_for_oid(x509.ObjectIdentifier(SIMULATION_OID))
        assert not stamp.critical
        assert stamp.value.value == b"\x0c\x0dsimulated TEE"
    assert authority.simulation
    assert authority.root_cert.subject.rfc4514_string() == "CN=MarbleRun Coordinator"
    assert authority.marble_root_cert.subject.rfc4514_string() == "CN=MarbleRun Coordinator - Intermediate CA"


def test_the_simulation_identifier_has_only_arcs_that_go_can_read():
    assert all(int(arc) < 2**31 for arc in SIMULATION_OID.split("."))


def test_a_name_that_no_certificate_can_carry_is_refused(make_authority):
    with pytest.raises(IssuingError):
        make_authority(dns_names=["oven.exämple"])


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(days=-1)])
def test_a_lifetime_that_is_not_positive_is_refused(lifetime, make_authority):
    with pytest.raises(IssuingError):
        make_authority(lifetime=lifetime)


def test_renewing_makes_a_new_intermediate_under_the_old_root(authority, keys, entropy):
    renewed = renew_intermediate(
        authority,
        keys,
        dns_names=["b.example"],
        now=NOW + timedelta(days=1),
        lifetime=timedelta(days=60),
        entropy=entropy,
        simulation=False,
    )
    assert renewed.root_cert == authority.root_cert
    assert renewed.trust_domain == authority.trust_domain
    assert renewed.intermediate_cert.public_key() != authority.intermediate_cert.public_key()
    assert renewed.intermediate_cert.subject == authority.intermediate_cert.subject
    assert renewed.intermediate_cert.not_valid_after_utc == authority.root_cert.not_valid_after_utc
    renewed.intermediate_cert.verify_directly_issued_by(authority.root_cert)


def test_nothing_is_renewed_under_an_expired_root(authority, keys, entropy):
    with pytest.raises(IssuingError):
        renew_intermediate(
            authority,
            keys,
            dns_names=[],
            now=NOW + timedelta(days=31),
            lifetime=timedelta(days=1),
            entropy=entropy,
            simulation=False,
        )


def test_extended_certificates_verify_leaves_issued_before(authority, make_leaf, entropy):
    leaf = make_leaf(lifetime=timedelta(days=20))
    later = NOW + timedelta(days=15)
    extended = extend_authority(
        authority,
        dns_names=["localhost"],
        now=later,
        lifetime=timedelta(days=30),
        entropy=entropy,
        simulation=False,
    )
    assert extended.trust_domain == authority.trust_domain
    assert extended.root_cert != authority.root_cert
    identity = verify_marble_chain(
        leaf.public_bytes(Encoding.DER),
        intermediates=[extended.intermediate_cert.public_bytes(Encoding.DER)],
        root=extended.root_cert.public_bytes(Encoding.DER),
        now=later,
    )
    assert identity.marble_type == "baker"


def test_an_authority_survives_the_round_trip_through_bytes(authority):
    again = Authority.from_bytes(authority.to_bytes())
    assert again.to_bytes() == authority.to_bytes()
    assert again.marble_root_cert == authority.marble_root_cert
    assert again.trust_domain == authority.trust_domain


@pytest.mark.parametrize(
    ("attack", "damage"),
    [
        ("empty", lambda data: b""),
        ("other format", lambda data: b"x" + data[1:]),
        ("cut off", lambda data: data[:-1]),
        ("trailing byte", lambda data: data + b"\0"),
        ("trailing field", lambda data: data + b"\0\0\0\0"),
        ("a length beyond the end", lambda data: data[:21] + b"\xff\xff\xff\xff" + data[25:]),
    ],
)
def test_a_damaged_authority_is_refused(authority, attack, damage):
    with pytest.raises(AuthorityError):
        Authority.from_bytes(damage(authority.to_bytes()))


@pytest.mark.parametrize(
    "part", ["root_cert", "root_key", "intermediate_cert", "intermediate_key", "marble_root_cert"]
)
def test_an_authority_with_a_foreign_part_is_refused(authority, other_authority, part):
    with pytest.raises(AuthorityError):
        replace(authority, **{part: getattr(other_authority, part)})


def test_private_keys_stay_out_of_the_repr(authority):
    assert "Key object" not in repr(authority)
    assert "key=" not in repr(authority.marble_issuer)
