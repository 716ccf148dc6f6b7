"""Signature files of packages: the signature structure, and the list of what was signed."""

import json
from contextlib import suppress
from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa

from fuzz.makers import evidence_maker
from fuzz.target import Target
from sealmesh.adapters.attester.signature_file import PackageSignature, encode_signature, parse_signature
from sealmesh.attestation.simulated import (
    EnvironmentVariable,
    MeasuredFile,
    PackageContent,
    SignatureStructure,
    measure,
    sign_package,
)
from sealmesh.errors import SealmeshError

_CONTENT = PackageContent(
    exe="app.py",
    args=("--port", "1"),
    environment=(EnvironmentVariable(name="A", value="1"),),
    files=(MeasuredFile(name="app.py", sha256=bytes(32)),),
    settings=(("dataplane", b"{}"),),
)


@cache
def structure() -> SignatureStructure:
    """Return a signature structure of a key made for this process."""
    key = rsa.generate_private_key(public_exponent=3, key_size=3072)
    now = evidence_maker().NOW
    return sign_package(measure(_CONTENT), key, product_id=1, security_version=2, debug=False, now=now)


@cache
def _good() -> bytes:
    return encode_signature(PackageSignature(structure=structure(), content=_CONTENT))


def _read(raw: bytes) -> None:
    """Read the bytes as a whole file, then as the list of what was signed in a good one."""
    with suppress(SealmeshError):
        _assert_same(raw)
    document = json.loads(_good())
    before, after = json.dumps({**document, "content": "@"}).encode().split(b'"@"')
    _assert_same(before + raw + after)


def _assert_same(raw: bytes) -> None:
    assert parse_signature(raw, name="fuzz").content == _CONTENT, "another package has this signature"


TARGET = Target(
    run=_read,
    seeds=lambda: {"content": json.dumps(json.loads(_good())["content"]).encode()},
    words=(
        b'"exe":',
        b'"args":',
        b'"files":',
        b'"environment":',
        b'"settings":',
        b"null",
        b"true",
        b"1e9",
        b"[]",
    ),
)
