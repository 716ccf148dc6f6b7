"""Whoever is handed a certificate by somebody else: what it says is read, or refused by our error.

`cryptography` reads lazily and raises half a dozen unrelated exceptions, some of which are no `ValueError`.
So every entry gets the same spoilt certificates: any bytes changed, and those that parsers stumble over.
"""

import base64
import json
import tempfile
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from asn1crypto import core
from asn1crypto import csr as asn1_request
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealmesh.cli.trust import Trust
from sealmesh.client.secret_files import parse_secret_pem
from sealmesh.client.tls import spiffe_identity
from sealmesh.coordinator.user_caller import _issued
from sealmesh.errors import SealmeshError
from sealmesh.errors.marble import CoordinatorRefused
from sealmesh.errors.pki import CertificateRequestError
from sealmesh.manifest import parse_manifest
from sealmesh.marble.verification import Received, Wanted, verify_certificates
from sealmesh.pki import parse_csr, verify_marble_chain
from sealmesh.provisioning import Secret, Upload, check_uploads, try_templates
from sealmesh.wire.bodies import parse_uploads_v1, parse_uploads_v2

NOW = datetime(2031, 5, 4, tzinfo=UTC)
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "spoilt")])
KEY = ec.derive_private_key(7, ec.SECP256R1())
NAMES = x509.SubjectAlternativeName([x509.DNSName("abcdef"), x509.UniformResourceIdentifier("spiffe://a/b")])
quick = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@cache
def certificate(key=KEY) -> bytes:
    return (
        x509.CertificateBuilder(NAME, NAME, key.public_key(), 5, NOW, NOW + timedelta(days=1))
        .add_extension(NAMES, False)
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(KEY, hashes.SHA384())
        .public_bytes(Encoding.DER)
    )


@cache
def spoilt() -> Mapping[str, bytes]:
    """Certificates with one thing wrong. Their signatures hold no longer, which nobody has looked at yet."""
    good = certificate()

    def with_bytes(old: bytes, new: bytes) -> bytes:
        assert good.count(old) >= 1
        assert len(old) == len(new)
        return good.replace(old, new, 1)

    return {
        "good": good,
        "version 2": with_bytes(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x01"),
        "version 6": with_bytes(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x05"),
        "serial number 0": with_bytes(b"\x02\x01\x05", b"\x02\x01\x00"),
        "negative serial number": with_bytes(b"\x02\x01\x05", b"\x02\x01\xff"),
        "thirteenth month": with_bytes(b"310504", b"311304"),
        "X.400 address": with_bytes(b"\x82\x06abcdef", b"\xa3\x06abcdef"),
        "EDI party name": with_bytes(b"\x82\x06abcdef", b"\xa5\x06abcdef"),
        "name that is no UTF-8": with_bytes(b"spoilt", b"sp\xff\xfelt"),
        "the same extension twice": with_bytes(b"\x55\x1d\x13", b"\x55\x1d\x11"),
        "unknown curve": with_bytes(bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030101")),
        "point not on the curve": with_bytes(b"\x03\x42\x00\x04", b"\x03\x42\x00\x05"),
        "unknown signature": with_bytes(bytes.fromhex("2a8648ce3d040303"), bytes.fromhex("2a8648ce3d040309")),
        "key for DSA": certificate(dsa.generate_private_key(1024)),
        "trailing byte": good + b"\0",
        "cut": good[:-1],
        "nothing": b"",
    }


ENTRIES: dict[str, Callable[[bytes], object]] = {}


def entry(take: Callable[[bytes], object]) -> Callable[[bytes], object]:
    ENTRIES[take.__name__] = take
    return take


def pem(der: bytes) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(der).decode()}-----END CERTIFICATE-----\n"


def manifest(**more: object) -> bytes:
    packages = {"p": {"UniqueID": "aa" * 32}}
    return json.dumps({"Packages": packages, "Marbles": {"m": {"Package": "p"}}, **more}).encode()


@entry
def user_of_a_manifest(der: bytes) -> object:
    return parse_manifest(manifest(Users={"u": {"Certificate": pem(der)}}))


@entry
def approver_of_a_manifest(der: bytes) -> object:
    governance = {"Approvers": {"u": {"Keys": [pem(der)]}}}
    return parse_manifest(manifest(Governance=governance, Config={"FeatureGates": ["Governance"]}))


@entry
def upload_over_v1(der: bytes) -> object:
    return parse_uploads_v1(json.dumps({"s": {"Cert": base64.b64encode(der).decode()}}).encode())


@entry
def upload_over_v2(der: bytes) -> object:
    body = {"secrets": {"s": {"Cert": base64.b64encode(der).decode()}}}
    return parse_uploads_v2(json.dumps(body).encode())


@entry
def uploaded_secret_in_a_template(der: bytes) -> object:
    files = {"f": "{{ .Secrets.s.Cert }}{{ .Secrets.s.Cert.DNSNames }}{{ .Secrets.s.Cert.Issuer }}"}
    found = parse_manifest(
        manifest(
            Marbles={"m": {"Package": "p", "Parameters": {"Files": files}}},
            Secrets={"s": {"Type": "cert-ecdsa", "Size": 256, "UserDefined": True}},
        )
    )
    values: Mapping[str, Secret] = check_uploads(found, {"s": Upload(cert=der)})
    return try_templates(found, values)


@entry
def chain_of_a_user(der: bytes) -> object:
    return _issued(der, certificate()), _issued(certificate(), der)


@entry
def leaf_of_a_marble(der: bytes) -> object:
    return verify_marble_chain(der, intermediates=(der,), root=certificate(), now=NOW)


@entry
def chain_of_a_marble(der: bytes) -> object:
    return verify_marble_chain(certificate(), intermediates=(der,), root=certificate(), now=NOW)


@entry
def coordinator_of_a_marble(der: bytes) -> object:
    received = Received(
        coordinator_chain=[der, certificate()],
        certificate_chain=[der],
        marble_root=der,
        server_certificate=der,
    )
    wanted = Wanted(public_key=KEY.public_key(), marble_type="m", uuid=uuid.UUID(int=1), now=NOW)
    with pytest.raises(CoordinatorRefused):
        verify_certificates(received, wanted)
    return None


@entry
def server_of_a_customer(der: bytes) -> object:
    return spiffe_identity(der)


@entry
def file_of_a_secret(der: bytes) -> object:
    return parse_secret_pem(pem(der).encode())


@entry
def kept_chain_of_the_command_line(der: bytes) -> object:
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(pem(der).encode())
        file.flush()
        return Trust(coordinator_cert=Path(file.name)).kept_chain()


@pytest.mark.filterwarnings("ignore")  # the library warns of serial numbers; that is not what is tried here
@pytest.mark.parametrize("fault", spoilt())
@pytest.mark.parametrize("name", ENTRIES)
def test_a_spoilt_certificate_is_read_or_refused(name: str, fault: str) -> None:
    with suppress(SealmeshError):
        ENTRIES[name](spoilt()[fault])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ENTRIES)
@quick
@given(
    changes=st.dictionaries(
        st.integers(0, len(certificate()) - 1), st.integers(0, 255), min_size=1, max_size=3
    )
)
def test_a_certificate_with_any_bytes_changed_is_read_or_refused(name: str, changes: dict[int, int]) -> None:
    der = bytearray(certificate())
    for position, byte in changes.items():
        der[position] = byte
    with suppress(SealmeshError):
        ENTRIES[name](bytes(der))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ENTRIES)
def test_a_certificate_with_any_one_byte_changed_is_read_or_refused(name: str) -> None:
    good = certificate()
    for position in range(len(good)):
        for byte in range(0, 256, 3):
            with suppress(SealmeshError):
                ENTRIES[name](good[:position] + bytes([byte]) + good[position + 1 :])


def signed_again(der: bytes) -> bytes:
    request = asn1_request.CertificationRequest.load(der)
    content = request["certification_request_info"].dump()
    request["signature"] = core.OctetBitString(KEY.sign(content, ec.ECDSA(hashes.SHA256())))
    return request.dump()


@pytest.mark.parametrize("tag", [0x83, 0xA3, 0xA4, 0xA5, 0x85, 0x9F, 0xBF])
def test_a_request_for_names_of_unknown_kinds_is_refused_although_its_signature_holds(tag: int) -> None:
    builder = x509.CertificateSigningRequestBuilder().subject_name(NAME).add_extension(NAMES, False)
    der = builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)
    with pytest.raises(CertificateRequestError):
        parse_csr(signed_again(der.replace(b"\x82\x06abcdef", bytes([tag]) + b"\x06abcdef")))
