"""Secrets: generated, derived, certified, stored."""

import dataclasses
import hmac
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from sealmesh.errors.provisioning import SecretCorrupt, SecretNotGenerated
from sealmesh.manifest import CertificateTemplate, SecretDefinition, SecretType, SubjectTemplate
from sealmesh.provisioning import (
    Secret,
    derive_private_key,
    generate_certificate,
    generate_shared_key,
    placeholder,
)

KEY = SecretDefinition(type=SecretType.SYMMETRIC_KEY, size=256)
U = UUID("6f9619ff-8b86-4d01-b42d-00cf4fc964ff")
ROOT = bytes(range(32))


def derived(
    name="k", *, uuid=U, marble_type="baker", disable_binding=False, definition=KEY, root=ROOT
) -> bytes:
    secret = derive_private_key(
        definition,
        name,
        root_secret=root,
        uuid=uuid,
        marble_type=marble_type,
        disable_binding=disable_binding,
    )
    return secret.private


def hkdf(key: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA256 of RFC 5869, written out."""
    extracted = hmac.new(salt, key, sha256).digest()
    block, output, counter = b"", b"", 1
    while len(output) < length:
        block = hmac.new(extracted, block + info + bytes([counter]), sha256).digest()
        output += block
        counter += 1
    return output[:length]


def test_private_key_is_hkdf_of_root_secret_uuid_name_and_type():
    salt = b"6f9619ff-8b86-4d01-b42d-00cf4fc964ffk"
    assert derived() == hkdf(ROOT, salt, b"baker", 32)
    assert derived(disable_binding=True) == hkdf(ROOT, salt, b"", 32)


def test_private_key_is_the_same_for_equal_type_uuid_and_name():
    assert derived() == derived(uuid=UUID("{6F9619FF-8B86-4D01-B42D-00CF4FC964FF}"))


@pytest.mark.parametrize(
    "changed", [{"name": "l"}, {"marble_type": "other"}, {"root": b"x" * 32}, {"uuid": UUID(int=1)}], ids=str
)
def test_private_key_differs_when_anything_of_it_differs(changed):
    assert derived(**changed) != derived()


def test_unbound_private_key_does_not_depend_on_the_marble_type():
    assert derived(disable_binding=True) == derived(disable_binding=True, marble_type="other")


@pytest.mark.parametrize(
    ("size", "wanted"), [(8, True), (65280, True), (65288, False), (0, False), (12, False), (-8, False)]
)
def test_private_keys_have_up_to_65280_bits_in_whole_bytes(size, wanted):
    definition = SecretDefinition(type=SecretType.SYMMETRIC_KEY, size=size)
    if wanted:
        assert len(derived(definition=definition)) == size // 8
    else:
        with pytest.raises(SecretNotGenerated):
            derived(definition=definition)


def test_shared_key_is_the_entropy_it_was_given():
    secret = generate_shared_key(dataclasses.replace(KEY, shared=True), "k", entropy=lambda size: b"e" * size)
    assert secret.private == secret.public == b"e" * 32
    assert (secret.size, secret.shared, secret.cert) == (256, True, None)


def test_plain_secret_is_never_generated():
    with pytest.raises(SecretNotGenerated):
        generate_shared_key(SecretDefinition(type=SecretType.PLAIN), "word", entropy=bytes)


def certificate(authority, keys, now, definition) -> tuple[Secret, x509.Certificate]:
    secret = generate_certificate(definition, "c", authority=authority, keys=keys, now=now, serial=77)
    assert secret.cert is not None
    return secret, x509.load_der_x509_certificate(secret.cert)


KINDS = [
    (SecretType.CERT_ED25519, 0), (SecretType.CERT_ECDSA, 224), (SecretType.CERT_ECDSA, 256),
    (SecretType.CERT_ECDSA, 384), (SecretType.CERT_ECDSA, 521), (SecretType.CERT_RSA, 2048),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "size"), KINDS)
def test_certificate_has_the_key_pair_of_its_kind(authority, keys, now, kind, size):
    secret, issued = certificate(authority, keys, now, SecretDefinition(type=kind, size=size))
    private = load_der_private_key(secret.private, password=None)
    assert private.public_key() == issued.public_key() == load_der_public_key(secret.public)
    assert getattr(private, "key_size", 0) == size
    issued.verify_directly_issued_by(authority.intermediate_cert)


WRONG_SIZES = [
    (SecretType.CERT_RSA, 512), (SecretType.CERT_RSA, 0), (SecretType.CERT_ECDSA, 0),
    (SecretType.CERT_ECDSA, 255),
    (SecretType.CERT_ED25519, 256), (SecretType.SYMMETRIC_KEY, 128), (SecretType.PLAIN, 0),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "size"), WRONG_SIZES)
def test_certificate_of_an_impossible_size_is_refused(authority, keys, now, kind, size):
    with pytest.raises(SecretNotGenerated):
        certificate(authority, keys, now, SecretDefinition(type=kind, size=size))


def names_of(issued: x509.Certificate) -> tuple[list[str], list[str]]:
    value = issued.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    assert isinstance(value, x509.SubjectAlternativeName)
    return value.get_values_for_type(x509.DNSName), [
        str(ip) for ip in value.get_values_for_type(x509.IPAddress)
    ]


GENERATED = "MarbleRun Generated Certificate"
#: `Cert`, shared, common name, DNS names, addresses. None stands for the default.
NAMES = [
    (None, False, "localhost", None, None),
    (CertificateTemplate(dns_names=("a.example",)), False, "a.example", ["a.example"], None),
    (
        CertificateTemplate(dns_names=("a.example", "b.example")),
        False,
        GENERATED,
        ["a.example", "b.example"],
        None,
    ),
    (CertificateTemplate(dns_names=()), False, GENERATED, None, None),
    (CertificateTemplate(dns_names=()), True, GENERATED, [], None),
    (CertificateTemplate(ip_addresses=()), False, "localhost", None, None),
    (CertificateTemplate(ip_addresses=(ip_address("10.0.0.1"),)), False, "localhost", None, ["10.0.0.1"]),
    (CertificateTemplate(subject=SubjectTemplate(common_name="Kuchen")), False, "Kuchen", None, None),
]


@pytest.mark.parametrize(("template", "shared", "common_name", "dns", "ips"), NAMES)
def test_names_and_their_defaults(authority, keys, now, template, shared, common_name, dns, ips):
    definition = SecretDefinition(type=SecretType.CERT_ED25519, shared=shared, certificate=template)
    _, issued = certificate(authority, keys, now, definition)
    assert issued.subject.rfc4514_string() == f"CN={common_name}"
    assert names_of(issued) == (
        ["localhost"] if dns is None else dns,
        ["127.0.0.1", "::1"] if ips is None else ips,
    )


def test_usages_have_the_defaults_of_the_contract(authority, keys, now):
    _, issued = certificate(authority, keys, now, SecretDefinition(type=SecretType.CERT_ED25519))
    usage = issued.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_cert_sign, usage.crl_sign) == (True, True, False)
    extended = issued.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(extended) == [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    assert issued.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False


@pytest.mark.parametrize(
    ("definition", "days", "said"),
    [
        (SecretDefinition(type=SecretType.CERT_ED25519), 365, 365),
        (SecretDefinition(type=SecretType.CERT_ED25519, valid_for=7), 7, 7),
        (
            SecretDefinition(
                type=SecretType.CERT_ED25519,
                certificate=CertificateTemplate(not_after=datetime(2031, 6, 1, 12, tzinfo=UTC)),
            ),
            28,
            0,
        ),
    ],
)
def test_certificate_lives_as_long_as_the_manifest_says(authority, keys, now, definition, days, said):
    secret, issued = certificate(authority, keys, now, definition)
    assert issued.not_valid_after_utc - now == timedelta(days=days)
    assert secret.valid_for == said


def test_certificate_that_shall_live_longer_than_the_calendar_ends_with_it(authority, keys, now):
    definition = SecretDefinition(type=SecretType.CERT_ED25519, valid_for=2**63)
    _, issued = certificate(authority, keys, now, definition)
    assert issued.not_valid_after_utc.year == 9999


def test_subject_that_cannot_be_written_is_refused_with_the_secrets_name(authority, keys, now):
    template = CertificateTemplate(subject=SubjectTemplate(country=("Deutschland",)))
    definition = SecretDefinition(type=SecretType.CERT_ED25519, certificate=template)
    with pytest.raises(SecretNotGenerated, match="`c`"):
        certificate(authority, keys, now, definition)


def test_stored_secret_comes_back(authority, keys, now, definitions):
    secret, _ = certificate(authority, keys, now, definitions["front"])
    for kept in (secret, Secret.unset(definitions["word"]), placeholder(definitions["pin"])):
        assert Secret.from_bytes(kept.to_bytes()) == kept


TAMPERED = [
    b"", b"{}", b"null", b"[]", b"\xff", b"[" * 100_000,
    json.dumps({"format": 1, "type": "plain"}).encode(),
]  # fmt: skip


@pytest.mark.parametrize("stored", TAMPERED, ids=lambda stored: repr(stored[:20]))
def test_stored_secret_that_is_anything_else_is_refused(stored):
    with pytest.raises(SecretCorrupt):
        Secret.from_bytes(stored)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("size", True),
        ("size", -1),
        ("shared", 1),
        ("type", "cert"),
        ("private", "@"),
        ("format", 2),
        ("more", 1),
    ],
)
def test_stored_secret_with_one_wrong_field_is_refused(definitions, field, value):
    document = json.loads(placeholder(definitions["k"]).to_bytes()) | {field: value}
    with pytest.raises(SecretCorrupt):
        Secret.from_bytes(json.dumps(document, sort_keys=True, separators=(",", ":")).encode())


def test_private_part_is_not_in_repr(definitions):
    secret = Secret.of(definitions["k"], private=b"do not show this")
    assert "do not show" not in repr(secret)
