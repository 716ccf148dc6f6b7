"""The summary of who may do what, which readers see instead of the manifest."""

import json

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealmesh.ledger.authority import summarize_authority
from sealmesh.manifest import parse_manifest

PEM = (
    ec.generate_private_key(ec.SECP256R1())
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    .decode()
)
BASE = {"Packages": {"oven": {"UniqueID": "aa" * 32}}, "Marbles": {"baker": {"Package": "oven"}}}
RESERVED = BASE | {
    "Config": {"FeatureGates": ["Governance"]},
    "Governance": {
        "Approvers": {"alice": {"Keys": [PEM]}},
        "Rules": {"UpdateManifest": {"Threshold": 1}},
    },
}


def summary(document: dict) -> dict:
    return json.loads(json.dumps(summarize_authority(parse_manifest(json.dumps(document).encode()))))


def test_what_is_reserved_to_several_is_in_the_summary():
    found = summary(RESERVED)["governance"]
    assert found["rules"] == {"UpdateManifest": {"threshold": 1, "approvers": ["alice"]}}
    assert [len(digest) for digest in found["approvers"]["alice"]] == [64]


def test_where_nothing_is_reserved_it_says_nothing_about_it():
    assert "governance" not in summary(BASE)
