from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.errors.pki import MarbleChainError
from sealmesh.pki import verify_marble_chain
from sealmesh.pki.extensions import CA_KEY_USAGE, LEAF_KEY_USAGE, marble_type_extension

NOW = datetime(2031, 5, 4, 12, 0, 0, tzinfo=UTC)
UUID_1 = UUID("6f9619ff-8b86-4d01-b42d-00cf4fc964ff")


def der(certificate):
    return certificate.public_bytes(Encoding.DER)


@pytest.mark.parametrize("anchor", ["root_cert", "marble_root_cert", "intermediate_cert"])
def test_a_leaf_chains_to_each_anchor_of_its_mesh(authority, make_leaf, anchor):
    found = verify_marble_chain(
        der(make_leaf()),
        intermediates=[der(authority.intermediate_cert)],
        root=der(getattr(authority, anchor)),
        now=NOW,
    )
    assert (found.marble_type, found.uuid) == ("baker", UUID_1)
    assert found.trust_domain == authority.trust_domain
    assert not found.simulation
    assert found.not_after == NOW + timedelta(hours=1)


def test_the_marble_root_needs_no_intermediate(authority, make_leaf):
    assert (
        verify_marble_chain(der(make_leaf()), root=der(authority.marble_root_cert), now=NOW).marble_type
        == "baker"
    )


def test_the_root_needs_the_intermediate(authority, make_leaf):
    with pytest.raises(MarbleChainError):
        verify_marble_chain(der(make_leaf()), root=der(authority.root_cert), now=NOW)


def test_simulation_is_seen_in_the_leaf_or_above(authority, make_leaf, make_authority):
    assert verify_marble_chain(
        der(make_leaf(simulation=True)), root=der(authority.marble_root_cert), now=NOW
    ).simulation
    simulated = make_authority(simulation=True)
    leaf = make_leaf(simulated, simulation=False)
    assert verify_marble_chain(der(leaf), root=der(simulated.marble_root_cert), now=NOW).simulation


def test_a_leaf_of_another_mesh_is_refused(authority, other_authority, make_leaf):
    leaf = make_leaf(other_authority)
    for anchor in (authority.root_cert, authority.marble_root_cert):
        with pytest.raises(MarbleChainError):
            verify_marble_chain(
                der(leaf), intermediates=[der(other_authority.intermediate_cert)], root=der(anchor), now=NOW
            )


@pytest.mark.parametrize("when", [timedelta(hours=-1), timedelta(hours=1, seconds=1), timedelta(days=40)])
def test_a_leaf_out_of_its_time_is_refused(authority, make_leaf, when):
    with pytest.raises(MarbleChainError) as caught:
        verify_marble_chain(der(make_leaf()), root=der(authority.marble_root_cert), now=NOW + when)
    assert caught.value.code == "marble-chain-expired"


@pytest.mark.parametrize("which", ["root_cert", "intermediate_cert", "marble_root_cert"])
def test_a_ca_certificate_is_no_marble(authority, which):
    with pytest.raises(MarbleChainError):
        verify_marble_chain(
            der(getattr(authority, which)),
            intermediates=[der(authority.intermediate_cert)],
            root=der(authority.root_cert),
            now=NOW,
        )


GOOD = {
    "uris": [f"/marble/baker/{UUID_1}"],
    "marble_type": "baker",
    "cn": str(UUID_1),
    "usage": LEAF_KEY_USAGE,
    "ca": False,
    "extended": [x509.ExtendedKeyUsageOID.SERVER_AUTH, x509.ExtendedKeyUsageOID.CLIENT_AUTH],
    "critical": None,
    "domain": None,
}


def signed(authority, leaf_key, **changes):
    asked = {**GOOD, **changes}
    domain = asked["domain"] or f"spiffe://{authority.trust_domain}"
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, asked["cn"])]))
        .issuer_name(authority.intermediate_cert.subject)
        .public_key(leaf_key.public_key())
        .serial_number(3)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(hours=1))
        .add_extension(asked["usage"], critical=True)
        .add_extension(x509.BasicConstraints(ca=asked["ca"], path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(asked["extended"]), critical=False)
    )
    names = [x509.UniformResourceIdentifier(domain + uri) for uri in asked["uris"]] or [
        x509.DNSName("localhost")
    ]
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if asked["marble_type"] is not None:
        builder = builder.add_extension(marble_type_extension(asked["marble_type"]), critical=False)
    if asked["critical"]:
        extra = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
        builder = builder.add_extension(extra, critical=True)
    return builder.sign(authority.intermediate_key, hashes.SHA384())


def test_the_hand_made_leaf_is_accepted_as_it_stands(authority, leaf_key):
    leaf = signed(authority, leaf_key)
    assert (
        verify_marble_chain(der(leaf), root=der(authority.marble_root_cert), now=NOW).marble_type == "baker"
    )


@pytest.mark.parametrize(
    ("attack", "change"),
    [
        ("no SPIFFE ID", {"uris": []}),
        ("two SPIFFE IDs", {"uris": [f"/marble/baker/{UUID_1}", f"/marble/thief/{UUID_1}"]}),
        ("the mesh's own ID", {"uris": [""]}),
        ("another trust domain", {"domain": "spiffe://mesh-0000"}),
        ("another type in the extension", {"marble_type": "thief"}),
        ("no type extension", {"marble_type": None}),
        ("another UUID as common name", {"cn": "00000000-0000-0000-0000-000000000000"}),
        ("a CA", {"ca": True}),
        ("may sign certificates", {"usage": CA_KEY_USAGE}),
        ("not for servers", {"extended": [x509.ExtendedKeyUsageOID.CLIENT_AUTH]}),
        ("unknown critical extension", {"critical": True}),
    ],
)
def test_a_leaf_of_another_shape_is_refused_although_its_signature_holds(authority, leaf_key, attack, change):
    leaf = signed(authority, leaf_key, **change)
    with pytest.raises(MarbleChainError):
        verify_marble_chain(der(leaf), root=der(authority.marble_root_cert), now=NOW)


@pytest.mark.parametrize("leaf", [b"", b"0", b"x" * 70_000])
def test_garbage_is_refused(authority, leaf):
    with pytest.raises(MarbleChainError):
        verify_marble_chain(leaf, root=der(authority.marble_root_cert), now=NOW)
