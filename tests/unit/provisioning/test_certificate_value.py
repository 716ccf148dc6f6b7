"""Certificates as templates see them; the expected texts were taken from Go 1.26's `crypto/x509`."""

from datetime import datetime
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from sealmesh.provisioning.data.certificate import CertificateValue
from sealmesh.provisioning.gotemplate import Template, TemplateExecutionError


def rdn(*attributes: tuple[x509.ObjectIdentifier, str]) -> x509.RelativeDistinguishedName:
    return x509.RelativeDistinguishedName(x509.NameAttribute(oid, text) for oid, text in attributes)


@pytest.fixture(scope="module")
def certificate(keys) -> CertificateValue:
    key = keys.ec(256)
    subject = x509.Name(
        [
            rdn((NameOID.COUNTRY_NAME, "DE")),
            rdn((NameOID.ORGANIZATION_NAME, "Guild, Inc"), (NameOID.ORGANIZATION_NAME, "B+C")),
            rdn((NameOID.ORGANIZATIONAL_UNIT_NAME, "#ou")),
            rdn((NameOID.STREET_ADDRESS, " s ")),
            rdn((NameOID.LOCALITY_NAME, "l")),
            rdn((NameOID.STATE_OR_PROVINCE_NAME, "st")),
            rdn((NameOID.POSTAL_CODE, "pc")),
            rdn((NameOID.COMMON_NAME, 'Ku"ch;en\\ <ü>')),
            rdn((NameOID.SERIAL_NUMBER, "77")),
            rdn((NameOID.TITLE, "title")),
            rdn((NameOID.EMAIL_ADDRESS, "m@x")),
        ]
    )
    names = [
        x509.UniformResourceIdentifier("spiffe://td.example/x"),
        x509.RFC822Name("a@b.c"),
        x509.IPAddress(ip_address("10.0.0.1")),
        x509.IPAddress(ip_address("2001:db8::1")),
        x509.DNSName("d.e"),
    ]
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")]))
        .public_key(key.public_key())
        .serial_number(2**100 + 1)
        .not_valid_before(datetime(2026, 1, 1, 4, 5, 6))
        .not_valid_after(datetime(2027, 3, 4, 15, 6, 7))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(*[True] * 9), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    return CertificateValue(built.public_bytes(Encoding.DER))


SUBJECT = (
    'SERIALNUMBER=77,CN=Ku\\"ch\\;en\\\\ \\<ü\\>,OU=\\#ou,O=B\\+C+O=Guild\\, Inc,POSTALCODE=pc,'
    "STREET=\\ s\\ ,L=l,ST=st,C=DE,1.2.840.113549.1.9.1=#0c036d4078,2.5.4.12=#13057469746c65"
)
FIELDS = [
    (".Subject", SUBJECT),
    (".Subject.CommonName", 'Ku"ch;en\\ <ü>'),
    (".Subject.Organization", "[B+C Guild, Inc]"),
    (".Subject.Country", "[DE]"),
    (".Subject.SerialNumber", "77"),
    (".Issuer", "CN=x"),
    (".DNSNames", "[d.e]"),
    (".IPAddresses", "[10.0.0.1 2001:db8::1]"),
    (".EmailAddresses", "[a@b.c]"),
    (".URIs", "[spiffe://td.example/x]"),
    (".NotBefore", "2026-01-01 04:05:06 +0000 UTC"),
    (".NotAfter.Unix", "1804172767"),
    (".NotAfter.Year", "2027"),
    (
        '.NotAfter.Format "2006-01-02T15:04:05Z07:00 Mon Jan _2 3:04PM MST"',
        "2027-03-04T15:06:07Z Thu Mar  4 3:06PM UTC",
    ),
    ('.NotBefore.Format "Monday, 02-Jan-06 3:4:5 pm -0700"', "Thursday, 01-Jan-26 4:5:6 am +0000"),
    (".KeyUsage", "511"),
    (".IsCA", "true"),
    (".MaxPathLen", "0"),
    (".MaxPathLenZero", "true"),
    (".BasicConstraintsValid", "true"),
    (".Version", "3"),
    (".SerialNumber", str(2**100 + 1)),
    (".SignatureAlgorithm", "ECDSA-SHA256"),
    (".PublicKeyAlgorithm", "ECDSA"),
]


@pytest.mark.parametrize(("field", "text"), FIELDS)
def test_field_reads_as_in_go(certificate, field, text):
    assert Template.parse("{{ .C" + field + " }}").execute({"C": certificate}) == text.encode()


def test_elements_can_be_indexed(certificate):
    text = "{{ (index .C.URIs 0).Host }} {{ len (index .C.IPAddresses 0) }} {{ printf `%d` .C.Version }}"
    assert Template.parse(text).execute({"C": certificate}) == b"td.example 4 3"


def test_secret_without_a_certificate_has_an_empty_one():
    text = "{{ .C.DNSNames }}|{{ .C.Subject }}|{{ .C.Version }}|{{ .C.NotAfter }}|{{ len .C.Raw }}"
    output = Template.parse(text).execute({"C": CertificateValue(b"")})
    assert output == b"[]||0|0001-01-01 00:00:00 +0000 UTC|0"


def test_certificate_is_parsed_only_when_a_field_is_asked_for():
    broken = CertificateValue(b"not a certificate")
    assert Template.parse("{{ if .C }}yes{{ end }}").execute({"C": broken}) == b"yes"
    with pytest.raises(TemplateExecutionError, match="cannot be read"):
        Template.parse("{{ .C.Version }}").execute({"C": broken})


@pytest.mark.parametrize("field", [".Nope", ".Signature", ".PublicKey", ".Verify"])
def test_field_that_is_not_offered_is_refused(certificate, field):
    with pytest.raises(TemplateExecutionError):
        Template.parse("{{ .C" + field + " }}").execute({"C": certificate})
