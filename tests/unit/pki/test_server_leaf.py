"""What a Coordinator shows to Marbles of ours, and that nothing else passes for it."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from sealmesh.errors.pki import IssuingError, MarbleChainError
from sealmesh.pki import (
    SecretCertificateProfile,
    Subject,
    issue_secret_certificate,
    issue_server_leaf,
    verify_authority_chain,
    verify_coordinator_leaf,
    verify_marble_chain,
)
from sealmesh.pki.extensions import says_simulation
from sealmesh.pki.profile import SubjectNames

HOUR = timedelta(hours=1)


@pytest.fixture
def make(authority, leaf_key, now):
    def issue(mesh=authority, **changes) -> x509.Certificate:
        terms = {
            "public_key": leaf_key.public_key(),
            "now": now,
            "lifetime": HOUR,
            "serial": 77,
            "simulation": False,
        }
        return issue_server_leaf(mesh, **{**terms, **changes})

    return issue


@pytest.fixture
def now(authority):
    return authority.intermediate_cert.not_valid_before_utc + HOUR


@pytest.fixture
def refused(authority, now):
    def verify(certificate: x509.Certificate, *, at=now, mesh=authority) -> str:
        der = certificate.public_bytes(Encoding.DER)
        with pytest.raises(MarbleChainError) as caught:
            verify_coordinator_leaf(der, intermediate=mesh.intermediate_der, now=at)
        return caught.value.message

    return verify


def test_it_names_the_mesh_and_serves_only(make, authority, now) -> None:
    leaf = make()
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [x509.UniformResourceIdentifier(f"spiffe://{authority.trust_domain}")]
    usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usages) == [ExtendedKeyUsageOID.SERVER_AUTH]
    verify_coordinator_leaf(leaf.public_bytes(Encoding.DER), intermediate=authority.intermediate_der, now=now)


def test_simulation_is_stamped(make) -> None:
    assert says_simulation(make(simulation=True).extensions)
    assert not says_simulation(make().extensions)


def test_it_does_not_outlive_the_intermediate(make, authority, now) -> None:
    assert make(lifetime=timedelta(days=9999)).not_valid_after_utc <= authority.validity.not_after
    with pytest.raises(IssuingError):
        make(now=authority.validity.not_after + HOUR)


def test_it_is_neither_a_marble_nor_an_authority(make, authority, now) -> None:
    der = make().public_bytes(Encoding.DER)
    with pytest.raises(MarbleChainError):
        verify_marble_chain(
            der, intermediates=(authority.intermediate_der,), root=authority.root_der, now=now
        )
    with pytest.raises(MarbleChainError):
        verify_authority_chain((der,), root=authority.root_der, now=now)


def test_a_marble_does_not_pass_for_a_coordinator(make_leaf, refused, now) -> None:
    assert "kind" in refused(make_leaf(now=now))


def test_an_authority_does_not_either(authority, refused) -> None:
    assert "not issued" in refused(authority.intermediate_cert)
    assert refused(authority.marble_root_cert)
    assert "not issued" in refused(authority.root_cert)


def test_a_certificate_of_the_manifest_does_not_either(authority, leaf_key, refused, now) -> None:
    def defined(uris: tuple[str, ...]) -> x509.Certificate:
        profile = SecretCertificateProfile(
            subject=Subject(common_name="sealmesh Coordinator"),
            names=SubjectNames(uris=uris),
            not_after=now + HOUR,
            key_usage=1 | 16,
            extended_key_usage=(1,),
        )
        return issue_secret_certificate(
            authority, profile, public_key=leaf_key.public_key(), now=now, serial=9
        )

    assert refused(defined(("spiffe://another-mesh",)))
    for claim in (authority.trust_domain, authority.trust_domain.upper()):
        with pytest.raises(IssuingError):
            defined((f"spiffe://{claim}",))


def test_another_mesh_does_not_either(make, other_authority, refused) -> None:
    assert "not issued" in refused(make(other_authority))
    assert "not issued" in refused(make(), mesh=other_authority)


def test_time_is_looked_at(make, refused, now) -> None:
    assert "not valid now" in refused(make(), at=now + 2 * HOUR)
    assert "not valid now" in refused(make(), at=now - HOUR)


def own(authority, now, key, *, uris, usages=(ExtendedKeyUsageOID.SERVER_AUTH,), ca=False, dns=()):
    """A certificate that the intermediate signed without the rules of `issue_server_leaf`."""
    names = [*map(x509.UniformResourceIdentifier, uris), *map(x509.DNSName, dns)]
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(authority.intermediate_cert.subject)
        .public_key(key.public_key())
        .serial_number(5)
        .not_valid_before(now)
        .not_valid_after(now + HOUR)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=ca, **usage), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=True)
        .sign(authority.intermediate_key, hashes.SHA384())
    )


def test_only_the_very_shape_is_taken(authority, refused, now) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    mesh = f"spiffe://{authority.trust_domain}"
    both = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
    assert "kind" in refused(own(authority, now, key, uris=(mesh,), ca=True))
    assert "kind" in refused(own(authority, now, key, uris=(mesh,), usages=both))
    assert "kind" in refused(own(authority, now, key, uris=(mesh,), dns=("localhost",)))
    assert "kind" in refused(own(authority, now, key, uris=(mesh, mesh)))
    assert "no mesh" in refused(own(authority, now, key, uris=(f"{mesh}/marble/baker",)))
    assert "another mesh" in refused(own(authority, now, key, uris=("spiffe://mesh-0",)))
    verify_coordinator_leaf(
        own(authority, now, key, uris=(mesh,)).public_bytes(Encoding.DER),
        intermediate=authority.intermediate_der,
        now=now,
    )


@pytest.mark.parametrize("size", [0, 1, 100])
def test_what_cannot_be_read_is_refused(make, authority, now, size) -> None:
    with pytest.raises(MarbleChainError):
        verify_coordinator_leaf(
            make().public_bytes(Encoding.DER)[:size], intermediate=authority.intermediate_der, now=now
        )
