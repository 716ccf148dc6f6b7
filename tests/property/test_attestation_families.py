"""Every family: any bytes give our error or a value, no flipped byte changes a claim, refusals are cheap."""

import importlib.util
import json
import sys
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealmesh.attestation import (
    UnverifiedEvidence,
    VerificationCache,
    VerifiedEvidence,
    parse_endorsements,
    parse_evidence,
    parse_platform_keys,
)
from sealmesh.attestation.cbor import decode
from sealmesh.attestation.certification import ocsp_serial, parse_certificate, parse_pem_certificates
from sealmesh.attestation.envelope import encode_envelope
from sealmesh.attestation.gpu.rim.tree import parse_document
from sealmesh.attestation.simulated.machine_record import parse_chip, parse_hypervisor, parse_tpm
from sealmesh.attestation.tpm import parse_event_log, parse_public_area
from sealmesh.attestation.tpm.attest import parse_attest
from sealmesh.attestation.tpm.signature import parse_signature
from sealmesh.errors.attestation import AttestationError


def _load(name: str) -> ModuleType:
    full = f"evidence_{name}"
    if full not in sys.modules:
        path = Path(__file__).resolve().parents[1] / "evidence" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(full, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[full] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]


evidence = _load("genuine")
genuine: Callable[[str], Any] = evidence.genuine
FAMILIES = list(evidence.MAKERS)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
thorough = settings(max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
STRIDE = 5
"""The quick tests take each fifth byte, beginning elsewhere for each bit; the slow ones take all."""

MILLISECONDS, MEGABYTES = 50, 10


@cache
def memory() -> VerificationCache:
    """Certificates that are not changed need not be verified a thousand times."""
    return VerificationCache()


@pytest.mark.parametrize("family", FAMILIES)
def test_genuine_evidence_verifies(family: str) -> None:
    assert genuine(family).verify().claims == genuine(family).verify(cache=memory()).claims


def outcome(family: str, raw: bytes) -> VerifiedEvidence | None:
    try:
        return genuine(family).verify(raw, memory())  # type: ignore[no-any-return]
    except AttestationError:
        return None


def unchanged(family: str, raw: bytes) -> bool:
    """Whether forged Evidence is refused, or says nothing that the genuine does not say."""
    verified = outcome(family, raw)
    return verified is None or evidence.says_no_more(verified, genuine(family).verify(cache=memory()))


def flipped(raw: bytes, position: int, bit: int) -> bytes:
    forged = bytearray(raw)
    forged[position] ^= 1 << bit
    return bytes(forged)


@pytest.mark.parametrize("family", FAMILIES)
def test_flipped_byte_never_changes_a_claim(family: str) -> None:
    raw = genuine(family).raw
    for position in range(0, len(raw), STRIDE):
        assert unchanged(family, flipped(raw, position, position // STRIDE % 8)), position


SIGNED = {
    "snp": range(0x2A0),
    "tdx": range(48 + 584),
}
"""Where the signed part lies open: there every single byte is refused, whatever it means."""


@pytest.mark.parametrize("family", SIGNED)
def test_every_byte_of_the_signed_part_counts(family: str) -> None:
    raw = genuine(family).raw
    for position in SIGNED[family]:
        assert outcome(family, flipped(raw, position, position % 8)) is None, position


@pytest.mark.parametrize("family", FAMILIES)
def test_evidence_cut_at_any_length_is_refused(family: str) -> None:
    raw = genuine(family).raw
    for length in range(len(raw)):
        if family == "snp" and length == 1184:
            continue  # a report without its certificate table is whole
        with pytest.raises(AttestationError):
            parse_evidence(raw[:length])


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("tail", [b"\0", b"x", bytes(64)])
def test_nothing_may_stand_behind_the_evidence(family: str, tail: bytes) -> None:
    assert outcome(family, genuine(family).raw + tail) is None or family == "snp"


@pytest.mark.parametrize("family", FAMILIES)
@quick
@given(data=st.data())
def test_evidence_changed_in_places_never_changes_a_claim(family: str, data: st.DataObject) -> None:
    forged = bytearray(genuine(family).raw)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(forged)))
        end = min(len(forged), start + data.draw(st.integers(0, 40)))
        forged[start:end] = data.draw(st.binary(max_size=40))
    assert unchanged(family, bytes(forged))


# Parsers

PARSERS: dict[str, Callable[[bytes], object]] = {
    "evidence": parse_evidence,
    "cbor": lambda data: decode(data, subject="x"),
    "certificate": lambda data: parse_certificate(data, subject="x"),
    "pem": lambda data: parse_pem_certificates(data, subject="x", most=4),
    "platform keys": parse_platform_keys,
    "attest": parse_attest,
    "signature": parse_signature,
    "public area": parse_public_area,
    "event log": parse_event_log,
    "chip": parse_chip,
    "hypervisor": parse_hypervisor,
    "ocsp": ocsp_serial,
    "rim": parse_document,
    "simulated tpm": parse_tpm,
}
BEGINNINGS = {
    "snp": b"\3\0\0\0",
    "quote": b"\4\0\2\0\x81\0\0\0",
    "nitro": b"\x84\x44\xa1\x01\x38\x22\xa0",
    "cca": b"\xd9\x01\x8f\xa2",
    "json": b'{"version":1,',
    "spdm": b"\x11\xe0\x01\xff",
    "tpm": encode_envelope("sealmesh/tpm-quote/v1", {})[:-1],
    "gpu": encode_envelope("sealmesh/gpu-measurements/v1", {})[:-1],
    "composite": encode_envelope("sealmesh/composite/v1", {})[:-1],
}


@pytest.mark.parametrize("parser", PARSERS)
@quick
@given(data=st.binary(max_size=3000))
def test_arbitrary_bytes_give_a_value_or_our_error(parser: str, data: bytes) -> None:
    with suppress(AttestationError):
        PARSERS[parser](data)


@pytest.mark.parametrize("form", BEGINNINGS)
@quick
@given(data=st.binary(max_size=3000))
def test_arbitrary_bytes_after_a_right_beginning_give_our_error(form: str, data: bytes) -> None:
    with suppress(AttestationError):
        parse_evidence(BEGINNINGS[form] + data)


STRUCTURES: dict[str, tuple[Callable[[bytes], object], Callable[[], bytes]]] = {
    "attest": (parse_attest, lambda: _load("tpm").Quote().attest),
    "signature": (parse_signature, lambda: _load("tpm").Quote().signature),
    "public area": (parse_public_area, lambda: _load("tpm").public_area(_load("tpm").AK)),
    "event log": (parse_event_log, lambda: _load("tpm").event_log([_load("tpm").event(0, 8, b"v1")])),
}


@pytest.mark.parametrize("structure", STRUCTURES)
def test_structure_of_a_tpm_cut_or_changed_anywhere_gives_a_value_or_our_error(structure: str) -> None:
    parse, make = STRUCTURES[structure]
    whole = make()
    parse(whole)
    for length in range(len(whole)):
        with suppress(AttestationError):
            parse(whole[:length])
        for bit in range(8):
            with suppress(AttestationError):
                parse(flipped(whole, length, bit))


@pytest.mark.parametrize("family", FAMILIES)
@quick
@given(data=st.binary(max_size=2000))
def test_arbitrary_endorsements_give_a_value_or_our_error(family: str, data: bytes) -> None:
    if family == "composite":
        return
    own = parse_evidence(genuine(family).raw)
    for raw in (data, b"-----BEGIN CERTIFICATE-----\n" + data + b"\n-----END CERTIFICATE-----"):
        with suppress(AttestationError):
            parse_endorsements(own, raw)


# Costs


def _nested(form: bytes, depth: int) -> bytes:
    return form * depth


DEEP = {
    "arrays": _nested(b"\x81", 60_000),
    "maps": _nested(b"\xa1\x01", 30_000),
    "tags": _nested(b"\xd2", 60_000),
    "open arrays": _nested(b"\x9f", 60_000),
    "open maps": _nested(b"\xbf\x01", 30_000),
    "array of 2^64 - 1": b"\x9b" + b"\xff" * 8,
    "map of 2^64 - 1": b"\xbb" + b"\xff" * 8,
    "bytes of 2^64 - 1": b"\x5b" + b"\xff" * 8,
    "many items": b"\x9f" + b"\x01" * 60_000 + b"\xff",
    "many keys": b"\xbf" + b"".join(b"\x19%c%c\1" % divmod(n, 256) for n in range(256, 15_000)) + b"\xff",
}  # fmt: skip
COSTLY: dict[str, bytes] = {
    **{f"nitro: {name}": b"\x84\x44\xa1\x01\x38\x22\xa0" + body for name, body in DEEP.items()},
    **{f"cca: {name}": b"\xd9\x01\x8f" + body for name, body in DEEP.items()},
    **{f"tpm: {name}": BEGINNINGS["tpm"] + body for name, body in DEEP.items()},
    **{f"composite: {name}": BEGINNINGS["composite"] + body for name, body in DEEP.items()},
    "azure: deep lists": b'{"version":' + b"[" * 60_000,
    "azure: deep objects": b'{"version":' + b'{"a":' * 12_000,
    "azure: a long number": b'{"version":' + b"9" * 60_000 + b"}",
    "azure: many keys": json.dumps({str(n): 0 for n in range(5000)}).encode(),
    "azure: long base64": json.dumps({"version": 1, "hcl_report": "A" * 60_000}).encode(),
    "spdm: 255 blocks": b"\x11\xe0\x01\xff" + bytes(33) + b"\x11\x60\0\0\xff\xff\xff\xff" + bytes(60_000),
    "megabytes": bytes((3, 0, 0, 0)) + bytes(5_000_000),
    "snp: a table of nothing": bytes((3, 0, 0, 0)) + bytes(31_000),
    "quote: a length of 2^32 - 1": b"\4\0\2\0\x81\0\0\0" + bytes(624) + b"\xff" * 4 + bytes(60_000),
}


def cost_of(act: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds of processor time, the best of some runs, and megabytes at most."""
    runs = []
    for _ in range(3):
        started = time.process_time()
        with pytest.raises(AttestationError):
            act()
        runs.append(time.process_time() - started)
    tracemalloc.start()
    try:
        with suppress(AttestationError):
            act()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return min(runs) * 1000, peak / 2**20


@pytest.mark.parametrize("attack", COSTLY)
def test_refusing_what_was_made_to_be_costly_is_cheap(attack: str) -> None:
    milliseconds, megabytes = cost_of(lambda: parse_evidence(COSTLY[attack]))
    assert milliseconds < MILLISECONDS
    assert megabytes < MEGABYTES


@pytest.mark.parametrize("family", FAMILIES)
def test_refusing_forged_evidence_without_any_memory_is_cheap(family: str) -> None:
    own = genuine(family)
    raw = own.raw
    forged = next(
        candidate
        for position in range(len(raw) - 40, 0, -1)
        if outcome(family, candidate := flipped(raw, position, 0)) is None and _parses(candidate)
    )
    milliseconds, megabytes = cost_of(lambda: own.verify(forged))
    assert milliseconds < MILLISECONDS
    assert megabytes < MEGABYTES


def _parses(raw: bytes) -> UnverifiedEvidence | None:
    with suppress(AttestationError):
        return parse_evidence(raw)
    return None


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("family", FAMILIES)
def test_no_bit_of_any_byte_changes_a_claim(family: str) -> None:
    raw = genuine(family).raw
    for position in range(len(raw)):
        for bit in range(8):
            assert unchanged(family, flipped(raw, position, bit)), (position, bit)


@pytest.mark.slow
@pytest.mark.parametrize("parser", PARSERS)
@thorough
@given(data=st.binary(max_size=20_000))
def test_many_arbitrary_bytes_give_a_value_or_our_error(parser: str, data: bytes) -> None:
    with suppress(AttestationError):
        PARSERS[parser](data)
