from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import crypto

from sealmesh.errors.pki import IssuingError, MarbleChainError
from sealmesh.pki import (
    SecretCertificateProfile,
    Subject,
    SubjectNames,
    issue_secret_certificate,
    verify_marble_chain,
)
from sealmesh.pki.extensions import LEAF_KEY_USAGE, marble_type_extension

NOW = datetime(2031, 5, 4, 12, 0, 0, tzinfo=UTC)
UUID_1 = UUID("6f9619ff-8b86-4d01-b42d-00cf4fc964ff")

DEFAULTS = {
    "subject": Subject(common_name="localhost"),
    "names": SubjectNames(dns=("localhost",), ips=(ip_address("127.0.0.1"), ip_address("::1"))),
    "not_after": NOW + timedelta(days=365),
}


@pytest.fixture
def issued(authority, keys):
    def make(key=None, **changes):
        profile = SecretCertificateProfile(**{**DEFAULTS, **changes})
        public = (key or keys.ed25519()).public_key()
        return issue_secret_certificate(authority, profile, public_key=public, now=NOW, serial=9)

    return make


def test_the_default_profile_is_the_contracts(issued, authority):
    certificate = issued()
    assert certificate.issuer == authority.intermediate_cert.subject
    certificate.verify_directly_issued_by(authority.intermediate_cert)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert usage.key_cert_sign
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert (
        round((certificate.not_valid_after_utc - certificate.not_valid_before_utc).total_seconds() / 86400)
        == 365
    )
    assert {item.oid.dotted_string for item in certificate.extensions if item.critical} == {
        "2.5.29.15",
        "2.5.29.19",
    }


def test_its_life_may_be_longer_than_the_intermediates(issued, authority):
    end = datetime(2049, 1, 1, tzinfo=UTC)
    assert issued(not_after=end).not_valid_after_utc == end > authority.intermediate_cert.not_valid_after_utc


@pytest.mark.parametrize("end", [NOW - timedelta(days=324), datetime(1950, 1, 1, tzinfo=UTC)])
def test_an_end_in_the_past_is_written_and_never_valid(issued, authority, end):
    certificate = issued(not_after=end)
    assert certificate.not_valid_after_utc == end < certificate.not_valid_before_utc < NOW
    certificate.verify_directly_issued_by(authority.intermediate_cert)
    store = crypto.X509Store()
    store.add_cert(crypto.X509.from_cryptography(authority.marble_root_cert))
    store.set_time(NOW)
    with pytest.raises(crypto.X509StoreContextError, match="expired"):
        crypto.X509StoreContext(store, crypto.X509.from_cryptography(certificate)).verify_certificate()


def test_an_end_in_the_past_is_written_after_2050_too(authority, keys):
    now = datetime(2051, 1, 1, tzinfo=UTC)
    profile = SecretCertificateProfile(**{**DEFAULTS, "not_after": now - timedelta(days=1)})
    public = keys.ed25519().public_key()
    certificate = issue_secret_certificate(authority, profile, public_key=public, now=now, serial=9)
    assert certificate.not_valid_before_utc == now - timedelta(minutes=5)
    assert certificate.not_valid_after_utc == now - timedelta(days=1)


@pytest.mark.parametrize("bits", [224, 256, 384, 521])
def test_every_curve_of_the_manifest_can_be_certified(issued, keys, bits):
    assert issued(key=keys.ec(bits)).public_key().key_size == bits


def test_small_rsa_keys_of_old_manifests_can_be_certified(issued, keys):
    assert issued(key=keys.rsa(1024)).public_key().key_size == 1024


def test_subject_follows_the_order_of_the_contract(issued):
    subject = Subject(common_name="Kuchen", organization=("Guild",), country=("DE",))
    assert issued(subject=subject).subject.rfc4514_string() == "CN=Kuchen,O=Guild,C=DE"


def test_all_bits_of_key_usage_are_written(issued):
    usage = issued(key_usage=511).extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.crl_sign
    assert usage.content_commitment
    assert usage.encipher_only
    assert usage.decipher_only


def test_extended_key_usages_go_by_gos_numbers(issued):
    found = issued(extended_key_usage=(3, 4)).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [item.dotted_string for item in found] == ["1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.4"]


def test_a_ca_has_key_identifier_and_path_length(issued):
    certificate = issued(is_ca=True, path_length=1)
    assert certificate.extensions.get_extension_for_class(
        x509.BasicConstraints
    ).value == x509.BasicConstraints(True, 1)
    assert certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)


@pytest.mark.parametrize(
    ("attack", "change"),
    [
        ("end before times can be written", {"not_after": datetime(1949, 12, 31, tzinfo=UTC)}),
        ("unknown extended key usage", {"extended_key_usage": (14,)}),
        ("negative extended key usage", {"extended_key_usage": (-1,)}),
        ("encipherOnly alone", {"key_usage": 128}),
        ("country of three letters", {"subject": Subject(country=("DEU",))}),
        ("DNS name that is not ASCII", {"names": SubjectNames(dns=("ä.example",))}),
    ],
)
def test_profiles_that_cannot_be_written_are_refused(issued, attack, change):
    with pytest.raises(IssuingError):
        issued(**change)


def test_a_secret_may_carry_another_domains_uri_but_none_of_this_mesh(issued, authority):
    assert issued(names=SubjectNames(uris=("spiffe://td.example/x",)))
    for uri in (
        f"spiffe://{authority.trust_domain}/marble/baker/{UUID_1}",
        f"SPIFFE://{authority.trust_domain.upper()}",
    ):
        with pytest.raises(IssuingError):
            issued(names=SubjectNames(uris=(uri,)))


def test_a_leaf_forged_with_a_secret_ca_is_refused_by_us_and_by_openssl(issued, authority):
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = issued(key=ca_key, is_ca=True)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, str(UUID_1))])
    uri = f"spiffe://{authority.trust_domain}/marble/baker/{UUID_1}"
    forged = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(ca.subject)
        .public_key(ca_key.public_key())
        .serial_number(3)
        .not_valid_before(NOW - timedelta(hours=1))
        .not_valid_after(NOW + timedelta(hours=1))
        .add_extension(LEAF_KEY_USAGE, critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage(
                [x509.ExtendedKeyUsageOID.SERVER_AUTH, x509.ExtendedKeyUsageOID.CLIENT_AUTH]
            ),
            False,
        )
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=False)
        .add_extension(marble_type_extension("baker"), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    with pytest.raises(MarbleChainError):
        verify_marble_chain(
            forged.public_bytes(Encoding.DER),
            intermediates=[ca.public_bytes(Encoding.DER)],
            root=authority.marble_root_cert.public_bytes(Encoding.DER),
            now=NOW,
        )
    store = crypto.X509Store()
    store.add_cert(crypto.X509.from_cryptography(authority.marble_root_cert))
    store.set_time(NOW)
    chain = [crypto.X509.from_cryptography(ca)]
    with pytest.raises(crypto.X509StoreContextError, match="subtree"):
        crypto.X509StoreContext(store, crypto.X509.from_cryptography(forged), chain).verify_certificate()
