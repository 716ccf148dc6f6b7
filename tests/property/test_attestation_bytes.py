"""Any bytes give our error or a value; no flipped bit in anything signed verifies."""

import json
from base64 import encodebytes
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sealmesh.attestation import parse_collateral, parse_evidence, verify
from sealmesh.attestation.dcap.certificates import Role, parse_chain
from sealmesh.attestation.dcap.ecdsa import sign_raw
from sealmesh.attestation.dcap.qe_identity import parse_qe_identity
from sealmesh.attestation.dcap.tcb_info import parse_tcb_info
from sealmesh.attestation.simulated import (
    EndorsementPlan,
    SimulatedEnclave,
    create_platform,
    create_vendor,
    issue_collateral,
    parse_signature_structure,
)
from sealmesh.errors.attestation import AttestationError

NOW = datetime(2031, 3, 1, 12, tzinfo=UTC)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
thorough = settings(max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def genuine() -> tuple[Any, bytes, dict[str, str]]:
    entropy = Random(7).randbytes
    vendor = create_vendor(now=NOW, entropy=entropy)
    platform = create_platform(vendor, now=NOW, entropy=entropy)
    enclave = SimulatedEnclave(unique_id=bytes(32), signer_id=bytes(32), product_id=1, security_version=1)
    collateral = json.loads(issue_collateral(vendor, EndorsementPlan(issued=NOW)))
    return vendor, platform.quote(enclave, bytes(64)), collateral


def verified(quote: bytes, collateral: dict[str, str]) -> None:
    verify(
        parse_evidence(quote),
        parse_collateral(json.dumps(collateral).encode()),
        roots=[genuine()[0].trust_root],
        now=NOW,
    )


def refused(quote: bytes, collateral: dict[str, str]) -> bool:
    try:
        verified(quote, collateral)
    except AttestationError:
        return True
    return False


def is_pem(quote: bytes, position: int) -> bool:
    """Whether a byte is of the PEM text, whose line breaks and padding bits carry nothing."""
    return position >= quote.index(b"-----BEGIN")


def test_genuine_evidence_verifies() -> None:
    verified(*genuine()[1:])


PARSERS = {
    "evidence": parse_evidence,
    "collateral": parse_collateral,
    "tcb info": parse_tcb_info,
    "qe identity": parse_qe_identity,
    "chain": lambda data: parse_chain(data, Role.PCK, Role.CA, Role.ROOT),
    "signature structure": parse_signature_structure,
}


@pytest.mark.parametrize("parser", PARSERS)
@quick
@given(data=st.binary(max_size=3000))
def test_arbitrary_bytes_give_a_value_or_our_error(parser: str, data: bytes) -> None:
    with suppress(AttestationError):
        PARSERS[parser](data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def paths(value: object, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [here]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += paths(inner, (*here, key))
    return found


@pytest.mark.parametrize("kind", ["tcb_info", "qe_identity"])
@quick
@given(data=st.data())
def test_signed_document_with_any_value_anywhere_gives_a_value_or_our_error(
    kind: str, data: st.DataObject
) -> None:
    vendor, quote, collateral = genuine()
    document = json.loads(collateral[kind])
    path = data.draw(st.sampled_from([path for path in paths(document) if path]))
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = data.draw(json_values)
    text = json.dumps(document)
    signature = sign_raw(vendor.tcb_signer.key, text.encode()).hex()
    refused(quote, {**collateral, kind: text, f"{kind}_signature": signature})


@quick
@given(data=st.data())
def test_flipped_bit_in_a_quote_never_verifies(data: st.DataObject) -> None:
    _, quote, collateral = genuine()
    position = data.draw(st.integers(0, len(quote) - 1))
    forged = bytearray(quote)
    forged[position] ^= 1 << data.draw(st.integers(0, 7))
    if not refused(bytes(forged), collateral):
        assert is_pem(quote, position)
        same_certificates(bytes(forged), quote)


def same_certificates(forged: bytes, quote: bytes) -> None:
    """A change of the PEM text that verifies must leave every certificate as it was."""
    chains = [parse_evidence(raw).dcap.signature.certification.pck_chain for raw in (forged, quote)]
    roles = (Role.PCK, Role.CA, Role.ROOT)
    changed, original = ([certificate.der for certificate in parse_chain(chain, *roles)] for chain in chains)
    assert changed == original


@pytest.mark.parametrize("part", ["root_ca_crl", "pck_crl"])
@quick
@given(data=st.data())
def test_flipped_bit_in_a_revocation_list_never_verifies(part: str, data: st.DataObject) -> None:
    _, quote, collateral = genuine()
    forged = bytearray.fromhex(collateral[part])
    forged[data.draw(st.integers(0, len(forged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert refused(quote, {**collateral, part: forged.hex()})


@pytest.mark.parametrize("part", ["tcb_info", "qe_identity"])
@quick
@given(data=st.data())
def test_changed_character_in_a_signed_document_never_verifies(part: str, data: st.DataObject) -> None:
    _, quote, collateral = genuine()
    text = collateral[part]
    place = data.draw(st.integers(0, len(text) - 1))
    character = data.draw(st.characters(exclude_characters=text[place], exclude_categories=["Cs"]))
    forged = text[:place] + character + text[place + 1 :]
    assert refused(quote, {**collateral, part: forged})


@pytest.mark.parametrize("part", ["tcb_info_signature", "qe_identity_signature"])
@quick
@given(data=st.data())
def test_flipped_bit_in_a_signature_never_verifies(part: str, data: st.DataObject) -> None:
    _, quote, collateral = genuine()
    forged = bytearray.fromhex(collateral[part])
    forged[data.draw(st.integers(0, 63))] ^= 1 << data.draw(st.integers(0, 7))
    assert refused(quote, {**collateral, part: forged.hex()})


@pytest.mark.parametrize(
    "part", ["pck_crl_issuer_chain", "tcb_info_issuer_chain", "qe_identity_issuer_chain"]
)
@quick
@given(data=st.data())
def test_flipped_bit_in_an_issuer_chain_never_verifies(part: str, data: st.DataObject) -> None:
    _, quote, collateral = genuine()
    blocks = collateral[part].split("-----END CERTIFICATE-----\n")[:-1]
    chosen = data.draw(st.integers(0, len(blocks) - 1))
    pem = (blocks[chosen] + "-----END CERTIFICATE-----\n").encode()
    der = bytearray(x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER))
    der[data.draw(st.integers(0, len(der) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    forged = f"-----BEGIN CERTIFICATE-----\n{encodebytes(bytes(der)).decode()}-----END CERTIFICATE-----\n"
    parts = [block + "-----END CERTIFICATE-----\n" for block in blocks]
    parts[chosen] = forged
    assert refused(quote, {**collateral, part: "".join(parts)})


def test_quote_cut_at_any_length_is_refused() -> None:
    _, quote, _ = genuine()
    for length in range(len(quote)):
        with pytest.raises(AttestationError):
            parse_evidence(quote[:length])


@quick
@given(data=st.data(), value=st.integers(0, 2**32 - 1))
def test_extreme_lengths_are_refused(data: st.DataObject, value: int) -> None:
    _, quote, _ = genuine()
    chain = quote.index(b"-----BEGIN")
    offset, width = data.draw(st.sampled_from([(432, 4), (chain - 40, 2), (chain - 4, 4)]))
    value %= 256**width
    assume(value != int.from_bytes(quote[offset : offset + width], "little"))
    with pytest.raises(AttestationError):
        parse_evidence(quote[:offset] + value.to_bytes(width, "little") + quote[offset + width :])


@pytest.mark.slow
def test_no_bit_of_a_quote_can_be_flipped() -> None:
    _, quote, collateral = genuine()
    for position in range(len(quote)):
        for bit in range(8):
            forged = bytearray(quote)
            forged[position] ^= 1 << bit
            if not refused(bytes(forged), collateral):
                assert is_pem(quote, position)
                same_certificates(bytes(forged), quote)


def pem_of(certificates: list[bytes]) -> bytes:
    return b"".join(
        b"-----BEGIN CERTIFICATE-----\n" + encodebytes(der) + b"-----END CERTIFICATE-----\n"
        for der in certificates
    )


def with_chain(quote: bytes, chain: bytes) -> bytes:
    start = quote.index(b"-----BEGIN")
    signature = quote[436 : start - 4] + len(chain).to_bytes(4, "little") + chain
    return quote[:432] + len(signature).to_bytes(4, "little") + signature


@pytest.mark.slow
@pytest.mark.parametrize("part", ["pck chain", "pck_crl_issuer_chain", "tcb_info_issuer_chain"])
def test_no_bit_of_a_certificate_can_be_flipped(part: str) -> None:
    _, quote, collateral = genuine()
    chain = quote[quote.index(b"-----BEGIN") :] if part == "pck chain" else collateral[part].encode()
    ders = [c.public_bytes(Encoding.DER) for c in x509.load_pem_x509_certificates(chain)]
    verified(with_chain(quote, pem_of(ders)) if part == "pck chain" else quote, collateral)
    for index, der in enumerate(ders):
        for position in range(8 * len(der)):
            flipped = bytearray(der)
            flipped[position // 8] ^= 1 << position % 8
            forged = pem_of([*ders[:index], bytes(flipped), *ders[index + 1 :]])
            if part == "pck chain":
                assert refused(with_chain(quote, forged), collateral), (index, position)
            else:
                assert refused(quote, {**collateral, part: forged.decode()}), (index, position)


@pytest.mark.slow
@pytest.mark.parametrize("part", ["root_ca_crl", "pck_crl"])
def test_no_bit_of_a_revocation_list_can_be_flipped(part: str) -> None:
    _, quote, collateral = genuine()
    der = bytes.fromhex(collateral[part])
    for position in range(8 * len(der)):
        flipped = bytearray(der)
        flipped[position // 8] ^= 1 << position % 8
        assert refused(quote, {**collateral, part: flipped.hex()}), position


@pytest.mark.slow
@pytest.mark.parametrize("parser", PARSERS)
@thorough
@given(data=st.binary(max_size=20_000))
def test_many_arbitrary_bytes_give_a_value_or_our_error(parser: str, data: bytes) -> None:
    with suppress(AttestationError):
        PARSERS[parser](data)


@pytest.mark.slow
@thorough
@given(data=st.data())
def test_quote_mutated_in_many_places_gives_our_error(data: st.DataObject) -> None:
    _, quote, collateral = genuine()
    forged = bytearray(quote)
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(forged)))
        end = min(len(forged), start + data.draw(st.integers(0, 40)))
        forged[start:end] = data.draw(st.binary(max_size=40))
    if not refused(bytes(forged), collateral):
        same_certificates(bytes(forged), quote)
