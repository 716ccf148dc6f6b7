"""The simulated TPM: genuine once activated, refused when forged, appraised by what was measured."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any

import pytest

from sealmesh.attestation import (
    Family,
    TpmCollateral,
    TpmReference,
    TrustRoot,
    Unchecked,
    VerificationCache,
    VerifiedEvidence,
    appraise,
    parse_endorsements,
    parse_evidence,
    verify,
)
from sealmesh.attestation.description import describe
from sealmesh.attestation.explanation import accepting_form
from sealmesh.attestation.simulated import SimulatedBoot, SimulatedEnclave, SimulatedTpm, create_tpm
from sealmesh.attestation.simulated.machine_record import encode_tpm, parse_tpm
from sealmesh.attestation.tpm import Bank, Credential, EndorsedKey, make_credential, parse_event_log
from sealmesh.errors.attestation import (
    AppraisalError,
    AttestationError,
    EvidenceFormatError,
    PlatformError,
)

NOW = datetime(2031, 3, 1, 12, tzinfo=UTC)
NONCE = sha256(b"a Marble's certificate").digest()
PROGRAM = SimulatedEnclave(unique_id=b"\1" * 32, signer_id=b"\2" * 32, product_id=7, security_version=3)
BOOT = SimulatedBoot.of(PROGRAM)


@pytest.fixture(scope="module")
def tpm() -> SimulatedTpm:
    return create_tpm(now=NOW, entropy=Random(1).randbytes)


@pytest.fixture(scope="module")
def other() -> SimulatedTpm:
    return create_tpm(now=NOW, entropy=Random(2).randbytes)


def endorsed(raw: bytes) -> EndorsedKey:
    collateral = parse_endorsements(parse_evidence(raw), b"")
    assert isinstance(collateral, TpmCollateral)
    assert isinstance(collateral.key, EndorsedKey)
    return collateral.key


def activated(tpm: SimulatedTpm, raw: bytes, root: TrustRoot | None = None) -> VerifiedEvidence:
    """Challenge the TPM as a Coordinator does, and verify its Evidence with the answer."""
    roots, secret, key = [root or tpm.trust_root], os.urandom(32), endorsed(raw)
    ek = key.endorsement_key(roots, NOW)
    answer = tpm.activate(make_credential(ek, key.public_area.name, secret, entropy=os.urandom))
    collateral = TpmCollateral(key=key.activated(challenge=secret, answer=answer), nonce=Unchecked())
    return verify(parse_evidence(raw), collateral, roots=roots, now=NOW)


def evidence(tpm: SimulatedTpm, boot: SimulatedBoot = BOOT) -> bytes:
    return tpm.evidence(boot, NONCE, now=NOW)


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(AttestationError) as caught:
        act()
    return caught.value.code


def extended(*digests: bytes) -> bytes:
    value = bytes(32)
    for digest in digests:
        value = sha256(value + digest).digest()
    return value


def test_an_activated_simulated_tpm_is_genuine_under_its_own_root(tpm: SimulatedTpm) -> None:
    verified = activated(tpm, evidence(tpm))
    assert verified.root == tpm.trust_root
    assert verified.root.simulated
    assert verified.claims.manufacturer is not None
    assert "simulated TPM EK CA" in verified.claims.manufacturer
    assert verified.claims.pcrs == BOOT.pcrs()


def test_the_program_is_measured_where_the_documentation_says(tpm: SimulatedTpm) -> None:
    verified = activated(tpm, evidence(tpm))
    digest = sha256(PROGRAM.unique_id).digest()
    appraise(verified, TpmReference(pcrs={11: extended(digest)}), report_data=NONCE)
    appraise(verified, TpmReference(events={11: frozenset({digest})}), report_data=NONCE)


@pytest.mark.parametrize(
    ("change", "registers"),
    [
        ({"unique_id": b"\3" * 32}, {11}),
        ({"signer_id": b"\3" * 32}, {7}),
        ({"security_version": 2}, {12}),
        ({"product_id": 8}, {12}),
        ({"debug": True}, {7}),
    ],
    ids=["program", "signer", "security version", "product", "debug"],
)
def test_whatever_changes_shows_in_its_register_in_each_bank(
    tpm: SimulatedTpm, change: dict[str, Any], registers: set[int]
) -> None:
    verified = activated(tpm, evidence(tpm, SimulatedBoot.of(replace(PROGRAM, **change))))
    for bank, wanted in BOOT.pcrs().items():
        with pytest.raises(AppraisalError) as caught:
            appraise(verified, TpmReference(bank=bank, pcrs=wanted), report_data=NONCE)
        assert {item.field for item in caught.value.mismatches} == {f"PCR{n}" for n in registers}


def test_what_explain_proposes_accepts_the_same_program_and_no_other(tpm: SimulatedTpm) -> None:
    form = accepting_form(parse_evidence(evidence(tpm)))
    wanted = {int(n): bytes.fromhex(value) for n, value in form["TPM"]["PCRs"].items()}
    assert set(wanted) == {0, 7, 11, 12}
    appraise(activated(tpm, evidence(tpm)), TpmReference(pcrs=wanted), report_data=NONCE)
    changed = evidence(tpm, SimulatedBoot.of(replace(PROGRAM, unique_id=b"\3" * 32)))
    with pytest.raises(AppraisalError):
        appraise(activated(tpm, changed), TpmReference(pcrs=wanted), report_data=NONCE)


def test_show_prints_registers_and_no_certificate(tpm: SimulatedTpm) -> None:
    fields = dict(describe(parse_evidence(evidence(tpm)).quote))
    assert fields["pcrs.sha256.11"] == BOOT.pcrs()[Bank.SHA256][11].hex()
    assert not any("ek_chain" in name for name in fields)


def test_the_log_names_both_banks_and_says_what_measures_itself() -> None:
    log = parse_event_log(BOOT.log())
    assert log.banks == (Bank.SHA256, Bank.SHA384)
    believed = {event.pcr for event in log.events if event.measures_its_data}
    assert believed == set(range(8)), "firmware and separators; the program is known by its digest only"


# -- forged ---------------------------------------------------------------------------------------


def test_another_simulated_root_is_nothing(tpm: SimulatedTpm, other: SimulatedTpm) -> None:
    assert refusal(lambda: activated(tpm, evidence(tpm), other.trust_root)) == "root:ek root"


def test_the_root_of_another_family_is_nothing(tpm: SimulatedTpm) -> None:
    root = replace(tpm.trust_root, family=Family.SNP)
    assert refusal(lambda: verify_unanswered(tpm, root)) == "roots:none"


def verify_unanswered(tpm: SimulatedTpm, root: TrustRoot) -> VerifiedEvidence:
    parsed = parse_evidence(evidence(tpm))
    return verify(parsed, parse_endorsements(parsed, b""), roots=[root], now=NOW)


def test_an_ek_certificate_alone_proves_nothing(tpm: SimulatedTpm) -> None:
    assert refusal(lambda: verify_unanswered(tpm, tpm.trust_root)) == "challenge:unanswered"


def test_a_remembered_ek_certificate_counts_under_its_root_and_while_it_is_valid(
    tpm: SimulatedTpm, other: SimulatedTpm
) -> None:
    key, cache = endorsed(evidence(tpm)), VerificationCache()
    for _ in range(2):
        assert key.endorsement_key([tpm.trust_root], NOW, cache) == tpm.endorsement_key.public_key()
    assert len(cache) == 1
    assert refusal(lambda: key.endorsement_key([other.trust_root], NOW, cache)) == "root:ek root"
    late, early = NOW + timedelta(days=20 * 365 + 1), NOW - timedelta(days=2)
    for now in (late, early):
        assert refusal(lambda now=now: key.endorsement_key([tpm.trust_root], now, cache)).startswith(
            "expired:"
        )


def test_who_saw_the_key_made_needs_no_challenge(tpm: SimulatedTpm) -> None:
    assert verify_unanswered(tpm, tpm.given_key).root == tpm.given_key


def test_each_flipped_byte_of_the_evidence_is_refused_or_is_not_believed(tpm: SimulatedTpm) -> None:
    """Signed parts are refused; in the certificates, which are not the quote's, the path breaks."""
    raw = evidence(tpm)
    genuine = activated(tpm, raw)
    rng = Random(7)
    for place in sorted(rng.sample(range(len(raw)), 400)):
        forged = bytearray(raw)
        forged[place] ^= 1 << rng.randrange(8)
        try:
            verified = activated(tpm, bytes(forged))
        except AttestationError:
            continue
        assert verified.claims.pcrs == genuine.claims.pcrs, place
        assert verified.claims.nonce == genuine.claims.nonce, place


@pytest.mark.parametrize("length", [0, 3, 100, 1000, 2500, -1])
def test_truncated_evidence_is_refused(tpm: SimulatedTpm, length: int) -> None:
    with pytest.raises(EvidenceFormatError):
        parse_evidence(evidence(tpm)[:length])


def test_a_certificate_without_the_key_it_is_to_speak_for_is_refused(tpm: SimulatedTpm) -> None:
    raw = evidence(tpm).replace(b"ckey", b"cKEY")
    assert refusal(lambda: parse_evidence(raw)) == "format:tpm evidence"


# -- the TPM itself -------------------------------------------------------------------------------


def credential(tpm: SimulatedTpm, *, name: bytes | None = None, secret: bytes = b"s" * 32) -> Credential:
    ek = tpm.endorsement_key.public_key()
    return make_credential(ek, name or tpm.key_name, secret, entropy=os.urandom)


@pytest.mark.parametrize("secret", [b"s", b"s" * 32])
def test_the_tpm_gives_back_what_is_for_it(tpm: SimulatedTpm, secret: bytes) -> None:
    assert tpm.activate(credential(tpm, secret=secret)) == secret


def test_the_tpm_gives_back_nothing_that_is_for_another(tpm: SimulatedTpm, other: SimulatedTpm) -> None:
    for wrong in (credential(other), credential(tpm, name=other.key_name)):
        assert refusal(lambda wrong=wrong: tpm.activate(wrong)) == "platform:credential"


def test_no_byte_of_a_credential_may_change(tpm: SimulatedTpm) -> None:
    own = credential(tpm)
    for name in ("blob", "encrypted_seed"):
        whole = getattr(own, name)
        for place in range(len(whole)):
            changed = bytearray(whole)
            changed[place] ^= 0x10
            with pytest.raises(PlatformError):
                tpm.activate(replace(own, **{name: bytes(changed)}))
        for length in range(len(whole)):
            with pytest.raises(PlatformError):
                tpm.activate(replace(own, **{name: whole[:length]}))


def test_the_tpm_is_kept_as_it_is(tpm: SimulatedTpm) -> None:
    again = parse_tpm(encode_tpm(tpm))
    assert (again.ek_chain, again.public_area) == (tpm.ek_chain, tpm.public_area)
    assert again.activate(credential(tpm)) == b"s" * 32


def test_a_nonce_that_no_tpm_would_take_is_our_own_mistake(tpm: SimulatedTpm) -> None:
    with pytest.raises(ValueError, match="66"):
        tpm.evidence(BOOT, bytes(67), now=NOW)
