"""A TPM whose attestation key only an EK certificate speaks for: challenged, admitted, attacked."""

import importlib.util
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest

from sealmesh.adapters.keys import OsKeyFactory
from sealmesh.attestation import TrustRoot, VerifiedEvidence, encode_composite
from sealmesh.attestation.simulated import (
    SimulatedBoot,
    SimulatedEnclave,
    SimulatedGuest,
    SimulatedTpm,
    create_chip,
    create_tpm,
)
from sealmesh.attestation.tpm import Bank, Credential
from sealmesh.coordinator.admission import report_data
from sealmesh.coordinator.api import ChallengeAnswer, ChallengeReply, ChallengeRequest, RenewRequest
from sealmesh.coordinator.context import Settings
from sealmesh.coordinator.coordinator import Coordinator
from sealmesh.coordinator.relaxation import Relaxation
from sealmesh.coordinator.tpm_challenge import LIFETIME, TOKEN_BYTES, Answered
from sealmesh.errors.attestation import PlatformError
from sealmesh.errors.coordinator import EvidenceRefused, MarbleUnauthenticated, PhaseError


def _load(name: str, folder: Path = Path(__file__).parent) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fakes = _load("fakes")
with_chain = _load("tpm", Path(__file__).resolve().parents[2] / "evidence").with_chain
PROGRAM = SimulatedEnclave(unique_id=b"\1" * 32, signer_id=b"\2" * 32, product_id=7, security_version=3)
BOOT = SimulatedBoot.of(PROGRAM)
CERTIFICATE, OTHER_CERTIFICATE = b"the certificate of this connection", b"another connection's"
FORM = {"TPM": {"PCRs": {"11": BOOT.pcrs()[Bank.SHA256][11].hex()}}}
MANIFEST = fakes.manifest_bytes(
    {
        "Packages": {"oven": {"Evidence": [FORM]}},
        "Simulation": True,
        "Config": {"FeatureGates": ["Evidence", "Simulation"]},
    },
    baker={"MaxActivations": 2},
)


class World:
    """Two TPMs of one manufacturer's kind, one of a manufacturer that nobody names, and a Coordinator."""

    def __init__(self) -> None:
        self.clock = fakes.FakeClock()
        self.mine, self.another, self.forged = (
            create_tpm(now=self.clock(), entropy=Random(seed).randbytes) for seed in (1, 2, 3)
        )
        self.authority = fakes.fresh_authority(self.clock, Settings())
        self.seat = fakes.MemorySeat()
        self.coordinator = self.worker()
        self.coordinator.set_manifest(MANIFEST)
        self.before = self.state()

    def worker(self, *roots: TrustRoot, **settings: Any) -> Coordinator:
        """Another process on the same store."""
        roots = roots or (self.mine.trust_root, self.another.trust_root)
        return fakes.make_coordinator(
            seat=self.seat,
            settings=Settings(roots=roots, **settings),
            clock=self.clock,
            authority=self.authority,
            keys=OsKeyFactory(),
            entropy=os.urandom,
        )

    def state(self) -> tuple[int, int, int]:
        """What a refusal leaves as it was: the ledger, the counter, the store's version."""
        store = self.seat.store()
        return store.leaf_count(), self.coordinator._engine.state().activations("baker"), store.version()

    def evidence(
        self, tpm: SimulatedTpm, *, certificate: bytes = CERTIFICATE, boot: SimulatedBoot = BOOT
    ) -> bytes:
        return tpm.evidence(boot, report_data(certificate).rstrip(b"\0"), now=self.clock())

    def challenge(self, raw: bytes, *, certificate: bytes = CERTIFICATE) -> ChallengeReply:
        reply = self.coordinator.challenge(ChallengeRequest(evidence=raw, client_cert=certificate))
        assert reply is not None
        return reply

    def answer(
        self, raw: bytes, *, certificate: bytes = CERTIFICATE, tpm: SimulatedTpm | None = None
    ) -> ChallengeAnswer:
        return answered(tpm or self.mine, self.challenge(raw, certificate=certificate))

    def enrol(
        self, raw: bytes, answer: ChallengeAnswer | None, *, certificate: bytes = CERTIFICATE, **how: Any
    ) -> Any:
        worker = how.pop("worker", self.coordinator)
        return worker.enrol(fakes.enrolment(evidence=raw, client_cert=certificate, answer=answer, **how))


def answered(tpm: SimulatedTpm, challenge: ChallengeReply) -> ChallengeAnswer:
    credential = Credential(blob=challenge.credential_blob, encrypted_seed=challenge.encrypted_secret)
    return ChallengeAnswer(token=challenge.token, secret=tpm.activate(credential))


@pytest.fixture
def world() -> World:
    return World()


def refused(world: World, act: Callable[[], object]) -> EvidenceRefused:
    with pytest.raises(EvidenceRefused) as caught:
        act()
    assert world.state() == world.before, "a refusal left something behind"
    return caught.value


# -- who answers comes in -------------------------------------------------------------------------


def test_a_tpm_that_answers_its_challenge_is_admitted_and_counted(world: World) -> None:
    raw = world.evidence(world.mine)
    reply = world.enrol(raw, world.answer(raw))
    assert reply.credentials.simulation
    assert world.state()[1] == world.before[1] + 1
    assert b'"family":"tpm"' in world.seat.store().appended[-1]


def test_a_challenge_changes_nothing(world: World) -> None:
    world.challenge(world.evidence(world.mine))
    assert world.state() == world.before


def test_a_challenge_of_one_worker_is_answered_to_another(world: World) -> None:
    raw = world.evidence(world.mine)
    world.enrol(raw, world.answer(raw), worker=world.worker())
    assert world.state()[1] == 1


def test_no_two_challenges_are_the_same(world: World) -> None:
    raw = world.evidence(world.mine)
    assert len({world.challenge(raw).token for _ in range(3)}) == 3
    assert len({world.answer(raw).secret for _ in range(3)}) == 3


def test_a_key_that_the_configuration_names_needs_no_challenge(world: World) -> None:
    worker = world.worker(world.mine.given_key)
    raw = world.evidence(world.mine)
    assert worker.challenge(ChallengeRequest(evidence=raw, client_cert=CERTIFICATE)) is None
    world.enrol(raw, None, worker=worker)
    worker.activate(fakes.activation(evidence=raw, client_cert=CERTIFICATE))
    assert world.state()[1] == 2


def test_evidence_of_another_tee_needs_no_challenge(world: World) -> None:
    chip = create_chip(now=world.clock(), entropy=Random(4).randbytes)
    report = chip.report(SimulatedGuest.of(PROGRAM), report_data(CERTIFICATE))
    assert world.coordinator.challenge(ChallengeRequest(evidence=report, client_cert=CERTIFICATE)) is None


def test_a_tpm_in_a_composite_is_challenged_too(world: World) -> None:
    chip = create_chip(now=world.clock(), entropy=Random(4).randbytes)
    report = chip.report(SimulatedGuest.of(PROGRAM), bytes(64))
    whole = encode_composite([report, world.evidence(world.mine)])
    worker = world.worker(world.mine.trust_root, chip.trust_root)
    posed = worker.challenge(ChallengeRequest(evidence=whole, client_cert=CERTIFICATE))
    answer = Answered.of(answered(world.mine, posed), CERTIFICATE, worker._engine.state().authority)
    examiner = worker._examiner
    verdict = examiner.examine(whole, world.clock(), answer)
    assert isinstance(verdict, VerifiedEvidence)
    assert examiner.examine(whole, world.clock()).code == "challenge:unanswered"


def test_a_renewal_is_challenged_over_the_present_certificate(world: World) -> None:
    raw = world.evidence(world.mine)
    chain = world.enrol(raw, world.answer(raw)).credentials.certificate_chain
    again = world.evidence(world.mine, certificate=chain[0])
    answer = world.answer(again, certificate=chain[0])
    renewal = RenewRequest(
        evidence=again, csr=fakes.request_bytes(), client_chain=chain, answer=world.answer(again)
    )
    before = world.state()
    with pytest.raises(EvidenceRefused) as caught:
        world.coordinator.renew(renewal)
    assert caught.value.code == "challenge:subject"
    assert world.state() == before
    world.coordinator.renew(replace(renewal, answer=answer))
    assert world.state()[0] == before[0] + 1


# -- attacks --------------------------------------------------------------------------------------


def test_a_key_of_another_tpm_is_not_activated_by_the_tpm_of_the_certificate(world: World) -> None:
    """The attacker has a TPM (or a key in software), and the EK certificate of somebody's good one."""
    forged = with_chain(world.evidence(world.another), world.mine.ek_chain)
    posed = world.challenge(forged)
    with pytest.raises(PlatformError) as caught:
        answered(world.mine, posed)  # the good TPM has no key of that Name
    assert caught.value.code == "platform:credential"
    with pytest.raises(PlatformError):
        answered(world.another, posed)  # and the attacker's has not that EK
    guess = ChallengeAnswer(token=posed.token, secret=bytes(32))
    assert refused(world, lambda: world.enrol(forged, guess)).code == "binding:credential"


def test_an_answer_for_one_attestation_key_does_not_speak_for_another(world: World) -> None:
    honest = world.answer(world.evidence(world.mine))
    forged = with_chain(world.evidence(world.another), world.mine.ek_chain)
    assert refused(world, lambda: world.enrol(forged, honest)).code == "challenge:subject"


def test_an_ek_certificate_of_another_key_is_refused(world: World) -> None:
    """Changed after the challenge: the certificate of a TPM that the manifest's owner likes better."""
    raw = world.evidence(world.mine)
    honest = world.answer(raw)
    changed = with_chain(raw, world.another.ek_chain)
    assert refused(world, lambda: world.enrol(changed, honest)).code == "challenge:subject"


def test_a_challenge_replayed_over_another_connection_is_refused(world: World) -> None:
    raw = world.evidence(world.mine)
    seen = world.answer(raw)
    error = refused(world, lambda: world.enrol(raw, seen, certificate=OTHER_CERTIFICATE))
    assert error.code == "challenge:subject"


def test_a_challenge_over_the_thiefs_connection_does_not_fit_the_victims_evidence(world: World) -> None:
    """The thief relays his own challenge to the victim's TPM: the quote names the victim's connection."""
    raw = world.evidence(world.mine)
    relayed = world.answer(raw, certificate=OTHER_CERTIFICATE)
    error = refused(world, lambda: world.enrol(raw, relayed, certificate=OTHER_CERTIFICATE))
    assert [item.field for item in error.mismatches] == ["ReportData"]


def test_an_expired_challenge_is_refused(world: World) -> None:
    raw = world.evidence(world.mine)
    late = world.answer(raw)
    world.clock.forward(seconds=LIFETIME.total_seconds() + 2)
    error = refused(world, lambda: world.enrol(raw, late))
    assert (error.code, error.wanted) == ("challenge:expired", "an answer within 120 s")


def test_a_token_whose_expiry_was_moved_is_refused(world: World) -> None:
    raw = world.evidence(world.mine)
    late = world.answer(raw)
    world.clock.forward(seconds=LIFETIME.total_seconds() + 2)
    until = int((world.clock() + timedelta(days=1)).timestamp()).to_bytes(8, "big")
    moved = replace(late, token=late.token[:1] + until + late.token[9:])
    assert refused(world, lambda: world.enrol(raw, moved)).code == "binding:credential"


def test_somebody_elses_secret_is_refused(world: World) -> None:
    raw = world.evidence(world.mine)
    own = world.answer(raw)
    theirs = world.answer(world.evidence(world.another), tpm=world.another)
    mixed = replace(own, secret=theirs.secret)
    assert refused(world, lambda: world.enrol(raw, mixed)).code == "binding:credential"


def test_the_secret_of_an_earlier_challenge_is_refused_for_a_later_one(world: World) -> None:
    raw = world.evidence(world.mine)
    earlier, later = world.answer(raw), world.answer(raw)
    mixed = replace(later, secret=earlier.secret)
    assert refused(world, lambda: world.enrol(raw, mixed)).code == "binding:credential"


@pytest.mark.parametrize("place", range(TOKEN_BYTES))
def test_no_byte_of_a_token_may_change(world: World, place: int) -> None:
    raw = world.evidence(world.mine)
    own = world.answer(raw)
    token = bytearray(own.token)
    token[place] ^= 1
    error = refused(world, lambda: world.enrol(raw, replace(own, token=bytes(token))))
    assert error.code in ("challenge:format", "challenge:subject", "challenge:expired", "binding:credential")


@pytest.mark.parametrize("token", [b"", b"\1", bytes(TOKEN_BYTES), b"\1" * (TOKEN_BYTES + 1)])
def test_garbage_for_a_token_is_refused(world: World, token: bytes) -> None:
    raw = world.evidence(world.mine)
    answer = ChallengeAnswer(token=token, secret=bytes(32))
    assert refused(world, lambda: world.enrol(raw, answer)).code == "challenge:format"


@pytest.mark.parametrize("secret", [b"", b"\0", bytes(31), bytes(64)])
def test_garbage_for_a_secret_is_refused(world: World, secret: bytes) -> None:
    raw = world.evidence(world.mine)
    answer = replace(world.answer(raw), secret=secret)
    assert refused(world, lambda: world.enrol(raw, answer)).code == "binding:credential"


def test_a_forged_manufacturer_gets_no_challenge_and_no_entry(world: World) -> None:
    raw = world.evidence(world.forged)
    request = ChallengeRequest(evidence=raw, client_cert=CERTIFICATE)
    assert refused(world, lambda: world.coordinator.challenge(request)).code == "root:ek root"
    honest = world.answer(world.evidence(world.mine))
    for answer in (None, honest):
        assert refused(world, lambda answer=answer: world.enrol(raw, answer)).code.startswith("challenge:")


def test_an_ek_certificate_under_a_forged_ca_is_refused(world: World) -> None:
    """The root's certificate is genuine, and the forger's EK certificate claims to be from below it."""
    ek, ca, _ = world.forged.ek_chain
    raw = with_chain(world.evidence(world.forged), (ek, ca, world.mine.ek_chain[-1]))
    request = ChallengeRequest(evidence=raw, client_cert=CERTIFICATE)
    assert refused(world, lambda: world.coordinator.challenge(request)).code == "signature:ek ca 1"


def test_a_coordinator_that_names_no_manufacturer_challenges_nobody(world: World) -> None:
    chip = create_chip(now=world.clock(), entropy=Random(4).randbytes)
    request = ChallengeRequest(evidence=world.evidence(world.mine), client_cert=CERTIFICATE)
    worker = world.worker(chip.trust_root)
    assert refused(world, lambda: worker.challenge(request)).code == "roots:none"


def test_an_ek_certificate_that_has_expired_since_it_was_seen_is_refused(world: World) -> None:
    raw = world.evidence(world.mine)
    world.challenge(raw)
    world.clock.forward(days=21 * 365)
    request = ChallengeRequest(evidence=raw, client_cert=CERTIFICATE)
    assert refused(world, lambda: world.coordinator.challenge(request)).code.startswith("expired:")


def test_registers_of_another_program_are_refused_though_the_tpm_answers(world: World) -> None:
    boot = SimulatedBoot.of(replace(PROGRAM, unique_id=b"\3" * 32))
    raw = world.evidence(world.mine, boot=boot)
    error = refused(world, lambda: world.enrol(raw, world.answer(raw)))
    assert [item.field for item in error.mismatches] == ["PCR11"]


def test_a_quote_over_another_nonce_is_refused_though_the_tpm_answers(world: World) -> None:
    raw = world.evidence(world.mine, certificate=OTHER_CERTIFICATE)
    error = refused(world, lambda: world.enrol(raw, world.answer(raw)))
    assert [item.field for item in error.mismatches] == ["ReportData"]


def test_unanswered_evidence_is_refused_and_told_what_to_do(world: World) -> None:
    error = refused(world, lambda: world.enrol(world.evidence(world.mine), None))
    assert error.code == "challenge:unanswered"
    assert "--trust-roots tpm:NAME=SHA256" in error.remedy


def test_marbleruns_call_has_no_challenge_and_refuses(world: World) -> None:
    raw = world.evidence(world.mine)
    legacy = fakes.activation(evidence=raw, client_cert=CERTIFICATE)
    error = refused(world, lambda: world.coordinator.activate(legacy))
    assert error.code == "challenge:unanswered"
    assert "--legacy" in error.remedy


def test_the_challenge_of_another_mesh_is_refused(world: World) -> None:
    raw = world.evidence(world.mine)
    elsewhere = World().worker(world.mine.trust_root)
    theirs = elsewhere.challenge(ChallengeRequest(evidence=raw, client_cert=CERTIFICATE))
    answer = answered(world.mine, theirs)
    assert refused(world, lambda: world.enrol(raw, answer)).code == "binding:credential"


# -- when there is nothing to challenge -----------------------------------------------------------


def test_before_a_manifest_nobody_is_challenged(world: World) -> None:
    world.seat = fakes.MemorySeat()
    request = ChallengeRequest(evidence=world.evidence(world.mine), client_cert=CERTIFICATE)
    with pytest.raises(PhaseError):
        world.worker().challenge(request)


def test_a_connection_without_a_certificate_is_not_challenged(world: World) -> None:
    with pytest.raises(MarbleUnauthenticated):
        world.coordinator.challenge(ChallengeRequest(evidence=world.evidence(world.mine), client_cert=b""))


@pytest.mark.parametrize("raw", [b"", b"garbage", b"a" * 100_000])
def test_garbage_is_not_challenged(world: World, raw: bytes) -> None:
    refused(
        world, lambda: world.coordinator.challenge(ChallengeRequest(evidence=raw, client_cert=CERTIFICATE))
    )


def test_with_empty_quotes_allowed_an_ek_certificate_of_anybody_is_no_obstacle(world: World) -> None:
    worker = world.worker(world.mine.trust_root, relaxations=frozenset({Relaxation.INSECURE_EMPTY_QUOTES}))
    request = ChallengeRequest(evidence=world.evidence(world.forged), client_cert=CERTIFICATE)
    assert worker.challenge(request) is None


def test_the_secret_is_in_no_repr(world: World) -> None:
    raw = world.evidence(world.mine)
    answer = world.answer(raw)
    judged = Answered.of(answer, CERTIFICATE, world.coordinator._engine.state().authority)
    shown = repr(answer) + repr(judged)
    assert judged is not None
    for secret in (answer.secret, judged.challenger.key):
        assert repr(secret)[2:-1] not in shown
