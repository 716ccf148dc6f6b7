from ipaddress import ip_address, ip_network

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from sealmesh.errors.pki import CertificateRequestError
from sealmesh.pki import parse_csr


def request(key, *names, subject=(), algorithm=hashes.SHA256()):  # noqa: B008
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(list(subject)))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else algorithm
    return builder.sign(key, algorithm).public_bytes(Encoding.DER)


def dns(*names):
    return [x509.DNSName(name) for name in names]


@pytest.mark.parametrize("curve", [ec.SECP256R1, ec.SECP384R1, ec.SECP521R1])
def test_a_request_gives_key_subject_and_names(curve):
    key = ec.generate_private_key(curve())
    who = x509.NameAttribute(NameOID.COMMON_NAME, "me")
    der = request(
        key,
        *dns("a.example", "*.b.example"),
        x509.IPAddress(ip_address("10.0.0.1")),
        subject=[who],
        algorithm=hashes.SHA384(),
    )
    found = parse_csr(der)
    assert found.public_key == key.public_key()
    assert found.subject == x509.Name([who])
    assert found.dns_names == ("a.example", "*.b.example")
    assert found.ip_addresses == (ip_address("10.0.0.1"),)


def test_a_request_without_names_or_subject_is_fine():
    found = parse_csr(request(ed25519.Ed25519PrivateKey.generate()))
    assert (found.dns_names, found.ip_addresses) == ((), ())


def test_names_of_other_kinds_have_no_way_into_a_certificate():
    key = ec.generate_private_key(ec.SECP256R1())
    der = request(
        key, x509.UniformResourceIdentifier("spiffe://x/y"), x509.RFC822Name("a@b.example"), *dns("x")
    )
    assert parse_csr(der).dns_names == ("x",)


def test_repeated_names_count_once():
    key = ec.generate_private_key(ec.SECP256R1())
    assert parse_csr(request(key, *dns("x", "y", "x"))).dns_names == ("x", "y")


@pytest.mark.parametrize(
    ("attack", "make_key"),
    [
        ("RSA of 1024 bits", lambda: rsa.generate_private_key(65537, 1024)),
        ("DSA", lambda: dsa.generate_private_key(2048)),
        ("P-224", lambda: ec.generate_private_key(ec.SECP224R1())),
        ("secp256k1", lambda: ec.generate_private_key(ec.SECP256K1())),
    ],
)
def test_keys_of_other_kinds_are_refused(attack, make_key):
    with pytest.raises(CertificateRequestError):
        parse_csr(request(make_key()))


def test_rsa_of_2048_bits_is_accepted():
    assert parse_csr(request(rsa.generate_private_key(65537, 2048))).public_key.key_size == 2048


@pytest.mark.parametrize(
    ("attack", "names"),
    [
        ("blank", dns("a b")),
        ("empty", dns("")),
        ("leading dot", dns(".a")),
        ("trailing dot", dns("a.")),
        ("inner star", dns("a.*.b")),
        ("only a star", dns("*")),
        ("long label", dns("a" * 64)),
        ("long name", dns(".".join(["a" * 60] * 5))),
        ("newline", dns("a\n")),
        ("NUL", dns("a\0.example")),
        ("a network", [x509.IPAddress(ip_network("10.0.0.0/8"))]),
        ("too many", dns(*(f"n{number}" for number in range(101)))),
    ],
)
def test_names_that_are_none_are_refused(attack, names):
    with pytest.raises(CertificateRequestError):
        parse_csr(request(ec.generate_private_key(ec.SECP256R1()), *names))


def test_too_many_subject_attributes_are_refused():
    who = [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, str(number)) for number in range(33)]
    with pytest.raises(CertificateRequestError):
        parse_csr(request(ec.generate_private_key(ec.SECP256R1()), subject=who))


def test_a_request_that_is_not_signed_by_its_own_key_is_refused():
    der = bytearray(request(ec.generate_private_key(ec.SECP256R1()), *dns("a.example")))
    at = der.index(b"a.example")
    der[at] ^= 2
    with pytest.raises(CertificateRequestError) as caught:
        parse_csr(bytes(der))
    assert "not signed" in caught.value.message


def test_sha1_is_refused():
    der = request(ec.generate_private_key(ec.SECP256R1()))
    sha256, sha1 = bytes.fromhex("06082a8648ce3d040302"), bytes.fromhex("06072a8648ce3d0401")
    assert sha256 in der
    with pytest.raises(CertificateRequestError):
        parse_csr(der.replace(sha256, sha1 + b"\x05"))


@pytest.mark.parametrize("der", [b"", b"\x30\x00", b"x" * 20_000])
def test_garbage_and_oversize_are_refused(der):
    with pytest.raises(CertificateRequestError):
        parse_csr(der)


def test_trailing_bytes_are_refused():
    with pytest.raises(CertificateRequestError):
        parse_csr(request(ec.generate_private_key(ec.SECP256R1())) + b"\0")
