"""Which TEE a Coordinator is in decides its Evidence, and which key it has for its state."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sealmesh.adapters.attester.choice import SimulatedChoice, SimulatedPlatform
from sealmesh.adapters.attester.device_choice import DeviceChoice, TdxGuestChoice, read_device
from sealmesh.adapters.attester.endorsed import EndorsedDevice
from sealmesh.adapters.attester.platform import open_or_create
from sealmesh.adapters.clock import system_clock, system_entropy
from sealmesh.adapters.sealer import NoKeys, Sealer
from sealmesh.attestation import Family, UnverifiedEvidence, appraise_any, parse_evidence
from sealmesh.attestation.simulated import (
    SimulatedEnclave,
    SimulatedGuest,
    SimulatedTd,
    create_chip,
    create_platform,
    create_vendor,
    td_quote,
)
from sealmesh.cli.own_policy import own_policy
from sealmesh.coordinator.own_evidence import OwnEvidence
from sealmesh.errors.attestation import (
    EndorserError,
    EvidenceFormatError,
    PlatformError,
    VerificationError,
)
from sealmesh.errors.configuration import ConfigurationError
from sealmesh.errors.store import SealerError, SealModeRefused
from sealmesh.ledger import judge_coordinator, parse_policy
from sealmesh.server import own_tee
from sealmesh.server.configuration import read_configuration
from sealmesh.server.evidence import NoCollateral, build_evidence, unprotected_seal_key
from sealmesh.server.own_tee import real_tee, simulated_tee
from sealmesh.server.sealing import build_sealer

ENCLAVE = SimulatedEnclave(
    unique_id=b"\x01" * 32, signer_id=b"\x02" * 32, product_id=1, security_version=1, debug=False
)
NOW = system_clock().replace(microsecond=0)
CHIP = create_chip(now=NOW, entropy=system_entropy)
DATA = b"\x07" * 64


class Device:
    """An SNP guest's device whose host gives no certificates."""

    def evidence(self, report_data: bytes) -> bytes:
        return CHIP.report(SimulatedGuest.of(ENCLAVE), report_data.ljust(64, b"\0"))[:1184]

    def describe(self) -> str:
        return "SNP reports of a test"


class Library:
    """Has one document for everybody."""

    def __init__(self, document: bytes | None) -> None:
        self.document = document
        self.asked: list[Family] = []

    def collateral_for(self, evidence: UnverifiedEvidence) -> bytes:
        self.asked.append(evidence.family)
        if self.document is None:
            raise EndorserError("nobody has it")
        return self.document


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Device:
    monkeypatch.setattr(own_tee, "open_device", lambda _: Device())
    return Device()


def test_a_real_tee_s_evidence_goes_out_with_what_the_endorser_has(device: Device) -> None:
    library = Library(b"certificates")
    tee = real_tee(DeviceChoice("auto"), library)
    made = OwnEvidence(attester=tee.attester, clock=system_clock).over(DATA)
    assert parse_evidence(made.raw).quote.report_data == DATA
    assert (made.endorsements, library.asked) == (b"certificates", [Family.SNP])
    assert not tee.attester.simulated


def test_without_endorsements_evidence_goes_out_alone(device: Device) -> None:
    made = OwnEvidence(attester=EndorsedDevice(device, Library(None)), clock=system_clock).over(DATA)
    assert made.raw
    assert made.endorsements == b""


class Log:
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warning(self, event: str, **_: object) -> None:
        self.warnings.append(event)


@pytest.mark.parametrize(("document", "count"), [(None, 1), (b"collateral", 0)])
def test_an_operator_is_told_that_nobody_has_endorsements(
    monkeypatch: pytest.MonkeyPatch, document: bytes | None, count: int
) -> None:
    platform = create_platform(
        create_vendor(now=NOW, entropy=system_entropy), now=NOW, entropy=system_entropy
    )

    class Td(Device):
        def evidence(self, report_data: bytes) -> bytes:
            return td_quote(platform, SimulatedTd.of(ENCLAVE), report_data.ljust(64, b"\0"))

    log = Log()
    monkeypatch.setattr(own_tee, "open_device", lambda _: Td())
    monkeypatch.setattr(own_tee, "logger", lambda: log)
    assert not real_tee(DeviceChoice("auto"), Library(document)).attester.simulated
    assert ["no Endorsements" in event for event in log.warnings] == [True] * count


def test_a_tee_that_gives_something_else_ends_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    class Odd(Device):
        def evidence(self, report_data: bytes) -> bytes:
            return b"\xff" * 100

    monkeypatch.setattr(own_tee, "open_device", lambda _: Odd())
    with pytest.raises(EvidenceFormatError):
        real_tee(DeviceChoice("auto"), Library(None))


def test_a_tee_that_gives_no_evidence_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="missing"):
        real_tee(DeviceChoice("tsm", tmp_path / "missing"), NoCollateral())
    with pytest.raises(PlatformError):
        build_evidence(read_configuration({"attester": f"nitro:{tmp_path}/missing"}, {}))


def keys_of(monkeypatch: pytest.MonkeyPatch, text: str) -> Any:
    choice = read_device(text)
    assert choice is not None
    return own_tee._keys(own_tee.open_device(choice))


@pytest.mark.parametrize(
    ("text", "kind", "modes"),
    [
        ("gramine:/attestation", "gramine", ("ProductKey", "UniqueKey")),
        ("sev-guest:/dev/snp", "snp", ("UniqueKey",)),
        ("nitro", "none", ()),
        ("tdx-guest?port=4050", "none", ()),
        ("tsm:/config/tsm", "none", ()),
    ],
)
def test_the_state_s_key_comes_from_where_the_evidence_does(
    monkeypatch: pytest.MonkeyPatch, text: str, kind: str, modes: tuple[str, ...]
) -> None:
    monkeypatch.setattr(own_tee, "DEVICE", Path("/missing/sev-guest"))
    keys = keys_of(monkeypatch, text)
    assert (keys.kind, set(keys.modes)) == (kind, set(modes))


def test_an_snp_guest_with_configfs_has_its_derived_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_tee, "DEVICE", Path("/dev/null"))
    assert keys_of(monkeypatch, "tsm:/config/tsm").kind == "snp"


def test_a_tpm_keeps_the_state_s_key_by_the_registers_that_it_quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip(
        "tpm2_pytss", reason="no TPM simulator: tpm2-pytss is not installed", exc_type=ImportError
    )
    keys = keys_of(monkeypatch, "tpm:swtpm:path=/s?pcrs=sha256:7,4")
    assert keys.kind == "tpm"
    assert "sha256:4,7" in keys.describe()


@pytest.mark.parametrize("wanted", ["", "ProductKey", "UniqueKey"])
def test_a_tee_without_keys_takes_no_sealed_state(wanted: str) -> None:
    sealer = Sealer([NoKeys("a TD")], entropy=system_entropy)
    with pytest.raises(SealModeRefused) as caught:
        sealer.mode_for(wanted)
    assert (caught.value.wanted, "--sealer" in caught.value.remedy) == ("Disabled", True)
    for act in (NoKeys("a TD").fresh, lambda mode: NoKeys("a TD").again(mode, b"")):
        with pytest.raises(SealerError, match="no key to seal with"):
            act(wanted)


@pytest.mark.parametrize(
    "name", ["simulated", "simulated-tdx", "simulated-snp", "simulated-nitro", "simulated-tpm"]
)
def test_a_simulated_coordinator_is_what_its_printed_policy_says(tmp_path: Path, name: str) -> None:
    configuration = read_configuration({"attester": f"{name}:{tmp_path}/platform"}, {})
    parts = build_evidence(configuration)
    assert parts.attester is not None
    assert parts.attester.simulated
    raw = parts.attester.evidence(DATA)
    policy = parse_policy(json.dumps(own_policy(configuration)).encode())
    judged = judge_coordinator(
        raw, parts.attester.endorsements(raw), policy, report_data=DATA, now=system_clock()
    )
    assert judged.root.simulated
    appraise_any(judged, policy.coordinator, report_data=DATA)


def test_an_ek_certificate_alone_shows_no_customer_whose_tpm_it_is(tmp_path: Path) -> None:
    configuration = read_configuration({"attester": f"simulated-tpm:{tmp_path}/platform"}, {})
    parts = build_evidence(configuration)
    assert parts.attester is not None
    printed = parse_policy(json.dumps(own_policy(configuration)).encode())
    manufacturers = replace(printed, trust_roots=parts.roots)
    with pytest.raises(VerificationError) as caught:
        judge_coordinator(
            parts.attester.evidence(DATA), b"", manufacturers, report_data=DATA, now=system_clock()
        )
    assert caught.value.code == "challenge:unanswered"


def test_a_simulated_coordinator_may_move_from_family_to_family_with_its_state(tmp_path: Path) -> None:
    platform = open_or_create(tmp_path / "platform")
    keys = [
        simulated_tee(SimulatedChoice(SimulatedPlatform(platform.path), family), platform).keys
        for family in (Family.SGX, Family.SNP, Family.TDX, Family.NITRO)
    ]
    assert len({own.again("UniqueKey", own.fresh("UniqueKey").recipe) for own in keys}) == 1


def test_a_coordinator_without_a_tee_seals_with_the_key_that_everybody_knows() -> None:
    configuration = read_configuration({"compat": "insecure-empty-quotes", "attester": "none"}, {})
    parts = build_evidence(configuration)
    sealer = build_sealer(configuration, parts)
    assert sealer.describe() == "a key that everybody knows: there is no TEE"
    assert parts.keys.again("UniqueKey", b"\0\0") == unprotected_seal_key("UniqueKey")


def test_marbles_and_coordinators_are_told_with_the_same_words() -> None:
    assert read_configuration({"attester": "tdx-guest?port=9"}, {}).attester == TdxGuestChoice(port=9)
    with pytest.raises(ConfigurationError, match="attester cannot be read"):
        read_configuration({"attester": "tdx-guest?port=0"}, {})


def test_a_real_attester_names_no_simulated_root() -> None:
    assert read_configuration({"attester": "auto"}, {}).simulated_platforms == ()
