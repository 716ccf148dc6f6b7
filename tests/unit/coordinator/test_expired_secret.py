"""A certificate of the manifest that has expired does not stand in the way of an update."""

from datetime import UTC, datetime, timedelta

import fakes
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.coordinator.context import Settings
from sealmesh.coordinator.relaxation import Relaxation

SETTINGS = Settings(relaxations=frozenset({Relaxation.INSECURE_EMPTY_QUOTES}))


def user_certificate():
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "admin")])
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )


def test_a_package_update_keeps_the_end_of_a_certificate_that_has_expired():
    admin = user_certificate()
    document = {
        "Secrets": {"web": {"Type": "cert-ed25519", "Shared": True, "ValidFor": 2}},
        "Users": {"admin": {"Certificate": admin.public_bytes(Encoding.PEM).decode(), "Roles": ["all"]}},
        "Roles": {
            "all": {
                "ResourceType": "Packages",
                "ResourceNames": ["oven"],
                "Actions": ["UpdateSecurityVersion"],
            },
            "see": {"ResourceType": "Secrets", "ResourceNames": ["web"], "Actions": ["ReadSecret"]},
        },
    }
    document["Users"]["admin"]["Roles"].append("see")
    clock = fakes.FakeClock()
    coordinator = fakes.make_coordinator(clock=clock, settings=SETTINGS)
    coordinator.set_manifest(fakes.manifest_bytes(document))
    chain = (admin.public_bytes(Encoding.DER),)

    def web():
        return x509.load_der_x509_certificate(coordinator.get_secrets(("web",), chain)["web"].certificate)

    before = web()
    clock.forward(days=400)
    reply = coordinator.update(b'{"Packages": {"oven": {"SecurityVersion": 9}}}', chain)
    assert reply.applied
    after = web()
    assert after.not_valid_after_utc == before.not_valid_after_utc < after.not_valid_before_utc
    assert after.serial_number != before.serial_number
