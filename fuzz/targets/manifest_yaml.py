"""Manifests as an operator writes them, in YAML."""

import yaml

from fuzz.target import Target
from fuzz.targets.manifest import SEEDS
from sealmesh.manifest import parse_manifest, yaml_to_json

TARGET = Target(
    run=lambda raw: parse_manifest(yaml_to_json(raw)),
    seeds=lambda: {name: yaml.safe_dump(document).encode() for name, document in SEEDS.items()},
    words=(
        b"&a ",
        b"*a",
        b"<<: ",
        b"!!binary ",
        b"? ",
        b"---\n",
        b"|\n ",
        b"0o17",
        b"1_0",
        b".nan",
        b"%YAML 1.1\n",
    ),
    longest=4096,
    milliseconds=500,
)
