"""A software TPM with an EK certificate in its memory: what the Attester sends, and answers."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from sealmesh.adapters.attester.tpm import TpmAttester
from sealmesh.adapters.tpm import Tpm
from sealmesh.attestation import Family, TpmCollateral, parse_endorsements, parse_evidence, verify
from sealmesh.attestation.cbor import decode
from sealmesh.attestation.simulated import SimulatedBoot, SimulatedEnclave, create_tpm
from sealmesh.attestation.tpm import Credential, EndorsedKey, make_credential
from sealmesh.errors.attestation import PlatformError, VerificationError


def _load(name: str) -> ModuleType:
    path = Path(__file__).resolve().parents[1] / "evidence" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"evidence_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PROGRAM = SimulatedEnclave(unique_id=b"\1" * 32, signer_id=b"\2" * 32, product_id=7, security_version=3)
DATA = sha256(b"a Marble's certificate").digest()
LAB = _load("tpm_manufacturer").Manufacturer.create("lab")
PLACES = {"EK-RSA2048": 0x01C00002, "EK-ECC256": 0x01C0000A}


@pytest.fixture(scope="module")
def tpms(start_tpm: Callable[[], Any]) -> dict[str, Any]:
    """A TPM with each kind of EK certificate, and one without."""
    found = {kind: start_tpm() for kind in (*PLACES, "none")}
    for kind, place in PLACES.items():
        found[kind].endorse(kind, place, LAB.endorse)
    return found


def attester(tpm: Any) -> TpmAttester:
    return TpmAttester(Tpm(tpm.tcti), (0, 16))


def endorsed(raw: bytes) -> EndorsedKey:
    collateral = parse_endorsements(parse_evidence(raw), LAB.pem)
    assert isinstance(collateral, TpmCollateral)
    assert isinstance(collateral.key, EndorsedKey)
    return collateral.key


def challenge(key: EndorsedKey, secret: bytes, *, name: bytes | None = None) -> Credential:
    ek = key.endorsement_key([LAB.trust_root], datetime.now(UTC))
    return make_credential(ek, name or key.public_area.name, secret, entropy=os.urandom)


@pytest.mark.parametrize("kind", PLACES)
def test_a_challenge_that_is_answered_makes_the_quote_genuine(tpms: dict[str, Any], kind: str) -> None:
    mine, secret = attester(tpms[kind]), os.urandom(32)
    raw = mine.evidence(DATA)
    key = endorsed(raw)
    answer = mine.activate_credential(challenge(key, secret))
    assert answer == secret
    activated = key.activated(challenge=secret, answer=answer)
    verified = verify(
        parse_evidence(raw),
        TpmCollateral(key=activated, nonce=DATA),
        roots=[LAB.trust_root],
        now=datetime.now(UTC),
    )
    assert verified.claims.manufacturer == "CN=lab CA"


@pytest.mark.parametrize("kind", PLACES)
def test_the_tpm_answers_only_what_is_for_its_ek_and_its_key(tpms: dict[str, Any], kind: str) -> None:
    mine = attester(tpms[kind])
    other = attester(next(tpms[each] for each in PLACES if each != kind))
    key, theirs = endorsed(mine.evidence(DATA)), endorsed(other.evidence(DATA))
    for wrong in (challenge(theirs, b"s" * 32), challenge(key, b"s" * 32, name=theirs.public_area.name)):
        with pytest.raises(PlatformError) as caught:
            mine.activate_credential(wrong)
        assert caught.value.code == "platform:credential"
    assert mine.activate_credential(challenge(key, b"s" * 32)) == b"s" * 32, "and nothing is left open"


@pytest.mark.parametrize("credential", [b"", b"\0", b"\0\4abcd", b"\xff" * 300])
def test_garbage_is_not_activated(tpms: dict[str, Any], credential: bytes) -> None:
    mine = attester(tpms["EK-RSA2048"])
    with pytest.raises(PlatformError) as caught:
        mine.activate_credential(Credential(blob=credential, encrypted_seed=credential))
    assert caught.value.code == "platform:credential"


def test_a_tpm_without_a_certificate_sends_none_and_answers_nothing(tpms: dict[str, Any]) -> None:
    mine = attester(tpms["none"])
    assert parse_evidence(mine.evidence(DATA)).endorsed_tpm is None
    with pytest.raises(PlatformError, match="no EK certificate"):
        mine.activate_credential(Credential(blob=b"", encrypted_seed=b""))


def test_without_an_answer_the_certificate_proves_nothing(tpms: dict[str, Any]) -> None:
    evidence = parse_evidence(attester(tpms["EK-RSA2048"]).evidence(DATA))
    with pytest.raises(VerificationError) as caught:
        verify(
            evidence,
            parse_endorsements(evidence, LAB.pem),
            roots=[LAB.trust_root],
            now=datetime.now(UTC),
        )
    assert caught.value.code == "challenge:unanswered"


def test_what_the_simulated_tpm_makes_is_what_the_tpms_library_reads(tpm: Any) -> None:
    """Byte for byte: taken apart and put together again by the TSS, which knows nothing of sealmesh."""
    import tpm2_pytss as tss

    now = datetime.now(UTC)
    simulated = create_tpm(now=now, entropy=os.urandom)
    raw = simulated.evidence(SimulatedBoot.of(PROGRAM), DATA, now=now)
    evidence = parse_evidence(raw)
    assert evidence.family is Family.TPM
    attest, length = tss.TPMS_ATTEST.unmarshal(evidence.quote.attest.raw)
    assert length == len(evidence.quote.attest.raw)
    assert attest.marshal() == evidence.quote.attest.raw
    assert bytes(attest.extraData) == DATA
    area, length = tss.TPMT_PUBLIC.unmarshal(evidence.quote.key.raw)
    assert length == len(evidence.quote.key.raw)
    assert area.marshal() == evidence.quote.key.raw
    assert bytes(tss.TPM2B_PUBLIC(publicArea=area).get_name()) == evidence.quote.key.name
    signed = decode(raw, subject="tpm evidence").value["signature"]
    signature, length = tss.TPMT_SIGNATURE.unmarshal(signed)
    assert length == len(signed)
    assert signature.marshal() == signed


@pytest.mark.skipif(
    shutil.which("tpm2_eventlog") is None, reason="no TPM simulator: tpm2-tools is not installed"
)
def test_the_simulated_log_is_what_other_tools_read_and_replay(tmp_path: Path) -> None:
    boot = SimulatedBoot.of(PROGRAM)
    (tmp_path / "log").write_bytes(boot.log())
    done = subprocess.run(
        ["tpm2_eventlog", str(tmp_path / "log")], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    replayed = yaml.safe_load(done.stdout)["pcrs"]
    for bank, registers in boot.pcrs().items():
        found = replayed[bank.name.lower()]
        assert {n: found[n] for n in registers} == {n: int.from_bytes(v) for n, v in registers.items()}
