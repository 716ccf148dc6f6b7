"""CBOR, bounded in depth and number of items."""

from functools import cache

import cbor2

from fuzz.makers import evidence_maker
from fuzz.target import Target
from sealmesh.attestation.cbor import decode


@cache
def _seeds() -> dict[str, bytes]:
    values = {"map": {1: [b"x", "y", None, True, -7]}, "tag": cbor2.CBORTag(18, [b"", {}, b"", b""])}
    documents = {name: cbor2.dumps(value) for name, value in values.items()}
    return {
        **documents,
        "open": b"\x9f\x01\xbf\x02\x03\xff\xff",
        "token": evidence_maker().genuine("cca").raw,
    }


TARGET = Target(
    run=lambda data: decode(data, subject="fuzz"),
    seeds=_seeds,
    words=(
        b"\x9f",
        b"\xbf",
        b"\xff",
        b"\xd2",
        b"\x9b" + b"\xff" * 8,
        b"\xbb" + b"\0" * 7 + b"\x01",
        b"\xfb",
        b"\xf9",
    ),
    longest=64 * 1024,
)
