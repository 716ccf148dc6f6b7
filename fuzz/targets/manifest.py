"""Manifests, as the server takes them: strict and lenient, and what is then done with them."""

import json

from fuzz.target import Target
from sealmesh.errors import SealmeshError
from sealmesh.manifest import diff, is_package_update, lint, parse_manifest, parse_package_update
from sealmesh.provisioning.access import compile_access

SEEDS = {
    "small": {"Packages": {"p": {"UniqueID": "aa" * 32}}, "Marbles": {"m": {"Package": "p"}}},
    "with templates": {
        "Packages": {"p": {"SignerID": "bb" * 32, "ProductID": 1, "SecurityVersion": 2}},
        "Marbles": {
            "m": {
                "Package": "p",
                "MaxActivations": 2,
                "Parameters": {
                    "Env": {"K": "{{ hex .Secrets.k }}"},
                    "Files": {"/f": {"Data": "aGk=", "Encoding": "base64"}},
                },
            }
        },
        "Secrets": {"k": {"Type": "symmetric-key", "Size": 128, "Shared": True}},
        "Users": {},
        "Roles": {"r": {"ResourceType": "Secrets", "ResourceNames": ["k"], "Actions": ["ReadSecret"]}},
    },
    "with rules": {
        "Packages": {"p": {"UniqueID": "cc" * 32}},
        "Marbles": {"a": {"Package": "p", "Names": ["a.example"]}, "b": {"Package": "p"}},
        "Access": [{"From": ["a", "@anyone"], "To": "b", "Ports": ["1-5", "*"]}],
        "Config": {"FeatureGates": ["Access", "Names", "Simulation"], "SealMode": "ProductKey"},
        "Simulation": True,
    },
    "with evidence": {
        "Packages": {
            "p": {"Evidence": [{"SNP": {"Measurement": "aa" * 48}}, {"TPM": {"PCRs": {"7": "bb" * 32}}}]}
        },
        "Marbles": {"a": {"Package": "p"}},
        "Config": {"FeatureGates": ["Evidence"]},
    },
}
_WORDS = b"""
"Packages": "Marbles": "Secrets": "Users": "Roles": "TLS": "Config": "FeatureGates": "Evidence": "AllOf":
"SGX": "TDX": "SNP": "Nitro": "TPM": "CCA": "GPU": "Governance": "Certificate":
"RecoveryKeys": "Infrastructures":
"""


def _read(raw: bytes) -> None:
    """Accepted strictly means accepted leniently, with the same content."""
    try:
        lenient = parse_manifest(raw, lenient=True)
    except SealmeshError as error:
        lenient, refusal = None, error
    if is_package_update(raw):
        parse_package_update(raw)
    strict = parse_manifest(raw)
    if lenient is None:
        raise AssertionError("refused leniently, accepted strictly") from refusal
    lint(strict)
    diff(lenient, strict)
    compile_access(strict)


TARGET = Target(
    run=_read,
    seeds=lambda: {name: json.dumps(document).encode() for name, document in SEEDS.items()},
    words=tuple(_WORDS.split()),
    milliseconds=200,
)
