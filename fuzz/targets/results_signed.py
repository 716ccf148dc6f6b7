"""What a signed Attestation Result says: JSON or, after a zero byte, CBOR; and nothing contradicts itself."""

from functools import cache

from fuzz.target import Target
from fuzz.targets.results import genuine_ear
from sealmesh.attestation.cbor import encode
from sealmesh.attestation.results import jws, sign1, status_of, trusts_more
from sealmesh.attestation.results.claims_set import claims_set, read_claims_set
from sealmesh.attestation.results.ear import MAX_NONCE, MIN_NONCE
from sealmesh.attestation.results.spelling import CBOR, JSON

_CBOR = b"\0"


@cache
def _seeds() -> dict[str, bytes]:
    return {
        "json": jws.encode_claims(claims_set(genuine_ear(), JSON)),
        "cbor": _CBOR + encode(claims_set(genuine_ear(), CBOR)),
    }


def _read(claims: bytes) -> None:
    if claims.startswith(_CBOR):
        ear = read_claims_set(sign1.read_cbor(claims[1:], what="the claims set"), CBOR)
    else:
        ear = read_claims_set(jws.read_json(claims, what="the claims set"), JSON)
    assert ear.submodules, "a result about nobody"
    assert ear.issued < ear.expires, "a result that ended before it began"
    assert ear.nonce is None or MIN_NONCE <= len(ear.nonce) <= MAX_NONCE, "a nonce of another length"
    for submodule in ear.submodules.values():
        allowed = status_of(submodule.vector)
        assert not (submodule.vector and trusts_more(submodule.status, allowed)), "it trusts too much"


TARGET = Target(
    run=_read,
    seeds=_seeds,
    words=(
        b'"ear_status":',
        b'"submods":',
        b'"exp":',
        b"1e9",
        b"\x19\x03\xe8",
        b"\x19\x01\x0a",
        b"\xf5",
        b"\xfb",
    ),
    longest=64 * 1024,
)
