"""Reference Values of each family: every mismatch is told, empty ones are refused, debug takes a word."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sealmesh.attestation import (
    AllOf,
    AzureReference,
    CcaReference,
    GpuReference,
    NitroReference,
    Reference,
    SgxReference,
    SnpReference,
    TdxReference,
    TpmReference,
    VerifiedEvidence,
    appraise,
    appraise_any,
)
from sealmesh.attestation.appraisal import bound_data
from sealmesh.attestation.simulated import SimulatedGuest, SimulatedTd, td_quote
from sealmesh.attestation.tpm import Bank
from sealmesh.errors.attestation import AppraisalError


def _load(name: str) -> ModuleType:
    full = f"evidence_{name}"
    if full not in sys.modules:
        path = Path(__file__).resolve().parents[2] / "evidence" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(full, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[full] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]


evidence = _load("genuine")


def fields(verified: VerifiedEvidence, *references: Reference, data: bytes | None = None) -> set[str]:
    """Which fields are refused; nothing when it is accepted."""
    bound = bound_data(verified.claims) if data is None else data  # type: ignore[arg-type]
    try:
        appraise_any(verified, references, report_data=bound)
    except AppraisalError as error:
        return {mismatch.field for mismatch in error.mismatches}
    return set()


# TDX

TD = SimulatedTd.of(evidence.PROGRAM)


def td(**changes: Any) -> VerifiedEvidence:
    raw = td_quote(evidence.machines().platform, replace(TD, **changes), evidence.DATA)
    return evidence.genuine("tdx").verify(raw)  # type: ignore[no-any-return]


TDX = TdxReference(mr_td=TD.mr_td)
OTHER = b"\7" * 48


def test_td_as_wanted_is_accepted() -> None:
    wanted = TdxReference(
        mr_td=TD.mr_td,
        rtmrs=TD.rtmrs,
        mr_owner=TD.mr_owner,
        mr_seams=frozenset({bytes(48)}),
        xfam=TD.xfam,
        attributes=TD.attributes.to_bytes(8, "little"),
        tee_tcb_svn=TD.tee_tcb_svn,
    )
    assert fields(td(), wanted) == set()


def test_every_value_of_a_td_is_compared() -> None:
    wanted = TdxReference(
        mr_td=OTHER,
        rtmrs=(OTHER, OTHER, OTHER, OTHER),
        mr_config_id=OTHER,
        mr_owner=OTHER,
        mr_owner_config=OTHER,
        mr_seams=frozenset({OTHER}),
        attributes=bytes(8),
        xfam=bytes(8),
        tee_tcb_svn=b"\2" + TD.tee_tcb_svn[1:],
        accepted_advisories=frozenset(),
    )
    assert fields(td(), wanted, data=b"x") == {
        "MRTD", "RTMR0", "RTMR1", "RTMR2", "RTMR3", "MRConfigID", "MROwner", "MROwnerConfig", "MRSEAM",
        "Attributes", "XFAM", "TEETCBSVN[0]", "ReportData",
    }  # fmt: skip


def test_host_that_can_raise_exceptions_in_the_td_needs_a_word() -> None:
    open_td = td(attributes=0)
    assert fields(open_td, TDX) == {"SEPTVEDisable"}
    assert fields(open_td, replace(TDX, sept_ve_disable=None)) == set()


def test_debug_td_needs_a_word_and_a_debug_reference_a_debug_td() -> None:
    debug = td(attributes=TD.attributes | 1)
    assert fields(debug, TDX) == {"Debug"}
    assert fields(debug, replace(TDX, debug=True)) == set()
    assert fields(td(), replace(TDX, debug=True)) == {"Debug"}


def test_service_td_must_be_named() -> None:
    plain = td()
    bound = replace(plain, claims=replace(plain.claims, mr_service_td=OTHER))  # type: ignore[type-var]
    assert fields(bound, TDX) == {"MRServiceTD"}
    assert fields(bound, replace(TDX, mr_service_td=OTHER)) == set()


# SNP


def guest(**changes: Any) -> VerifiedEvidence:
    made = replace(SimulatedGuest.of(evidence.PROGRAM), **changes)
    raw = evidence.machines().chip.report(made, evidence.DATA)
    return evidence.genuine("snp").verify(raw)  # type: ignore[no-any-return]


GUEST = SimulatedGuest.of(evidence.PROGRAM)
SNP = SnpReference(measurement=GUEST.measurement)


def test_every_value_of_a_guest_is_compared() -> None:
    wanted = SnpReference(
        measurement=OTHER,
        id_key_digest=OTHER,
        author_key_digest=OTHER,
        host_data=bytes(31) + b"\1",
        family_id=bytes(16),
        image_id=b"\1" * 16,
        guest_svn=4,
        vmpl=3,
        minimum_tcb={"snp": 2, "fmc": 0},
        smt=False,
        debug=True,
    )
    assert fields(guest(), wanted, data=b"x") == {
        "Measurement", "IDKeyDigest", "AuthorKeyDigest", "HostData", "FamilyID", "ImageID", "GuestSVN",
        "VMPL", "MinimumTCB.snp", "MinimumTCB.fmc", "SMT", "Debug", "ReportData",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "field", "word"),
    [
        ({"policy": 1 << 17 | 1 << 19}, "Debug", {"debug": True}),
        ({"policy": 1 << 17 | 1 << 18}, "MigrationAgent", {"migration_agent": True}),
        ({"vmpl": 2}, "VMPL", {"vmpl": None}),
    ],
)
def test_what_opens_a_guest_needs_a_word(change: dict[str, Any], field: str, word: dict[str, Any]) -> None:
    assert fields(guest(**change), SNP) == {field}
    assert fields(guest(**change), replace(SNP, **word)) == set()


def test_lower_versions_are_refused_and_higher_ones_accepted() -> None:
    assert fields(guest(), replace(SNP, guest_svn=3, minimum_tcb={"bl": 1})) == set()
    assert fields(guest(), replace(SNP, guest_svn=2, minimum_tcb={"bl": 0})) == set()
    assert fields(guest(), replace(SNP, guest_svn=4, minimum_tcb={"bl": 2})) == {"GuestSVN", "MinimumTCB.bl"}


# CCA, TPM

cca, tpm = _load("cca"), _load("tpm")


def realm(token: Any) -> VerifiedEvidence:
    return evidence.genuine("cca").verify(token.encode())  # type: ignore[no-any-return]


REALM = CcaReference(rim=b"\1" * 64)


def test_every_value_of_a_realm_is_compared() -> None:
    wanted = CcaReference(
        rim=bytes(64),
        rems=(b"\5" * 64,) * 4,
        personalization=b"\1" * 64,
        implementation_ids=frozenset({bytes(32)}),
        firmware=frozenset({bytes(32)}),
        firmware_signers=frozenset({bytes(32)}),
        debug=True,
    )
    assert fields(realm(cca.Token()), wanted, data=b"x") == {
        "RIM", "REM0", "REM1", "REM2", "REM3", "Personalization", "ImplementationID", "Firmware.TF-A",
        "FirmwareSigner.TF-A", "Lifecycle", "ReportData",
    }  # fmt: skip


def test_platform_that_can_be_debugged_needs_a_word() -> None:
    open_platform = realm(cca.Token().with_platform({2395: 0x4000}))
    assert fields(open_platform, REALM) == {"Lifecycle"}
    assert fields(open_platform, replace(REALM, debug=True)) == set()
    assert fields(realm(cca.Token()), REALM) == set()


def machine(quote: Any) -> VerifiedEvidence:
    return evidence.genuine("tpm").verify(quote.encode())  # type: ignore[no-any-return]


def test_registers_are_compared_in_the_bank_that_was_named() -> None:
    verified = machine(tpm.Quote())
    assert fields(verified, TpmReference(pcrs={0: b"\1" * 32, 7: b"\2" * 32})) == set()
    assert fields(verified, TpmReference(pcrs={0: bytes(32), 8: bytes(32)})) == {"PCR0", "PCR8"}
    assert fields(verified, TpmReference(bank=Bank.SHA384, pcrs={0: bytes(48)})) == {"PCR0"}


def test_event_that_is_not_listed_is_refused_in_whatever_order() -> None:
    first, second = (tpm.sha256(data).digest() for data in (b"a", b"b"))
    log = tpm.event_log([tpm.event(4, 0x80000003, data) for data in (b"b", b"a")])
    quote = tpm.Quote(log=log, pcrs={0xB: {4: tpm.extended(second, first)}})
    verified = machine(quote)
    assert fields(verified, TpmReference(events={4: frozenset({first, second})})) == set()
    assert fields(verified, TpmReference(events={4: frozenset({first})})) == {"Events.PCR4"}
    assert fields(machine(quote.but(log=None)), TpmReference(events={4: frozenset({first})})) == {
        "Events.PCR4"
    }


def test_a_register_that_the_log_keeps_quiet_about_does_not_meet_its_rule() -> None:
    kept, hidden = (tpm.sha256(data).digest() for data in (b"a", b"b"))
    pcrs = {0xB: {4: tpm.extended(kept), 11: tpm.extended(hidden)}}
    whole = tpm.event_log([tpm.event(4, 0x80000003, b"a"), tpm.event(11, 0x80000003, b"b")])
    quiet = tpm.event_log([tpm.event(4, 0x80000003, b"a")])
    wanted = TpmReference(events={4: frozenset({kept}), 11: frozenset({hidden})})
    assert fields(machine(tpm.Quote(log=whole, pcrs=pcrs)), wanted) == set()
    assert fields(machine(tpm.Quote(log=quiet, pcrs=pcrs)), wanted) == {"Events.PCR11"}


# All

EMPTY: list[tuple[str, Reference]] = [
    ("tdx", TdxReference(rtmrs=TD.rtmrs)),
    ("snp", SnpReference(guest_svn=0)),
    ("nitro", NitroReference(pcrs={3: bytes(48)})),
    ("cca", CcaReference()),
    ("tpm", TpmReference()),
    ("azure", AzureReference(paravisor=SNP)),
    ("azure", AzureReference(paravisor=SnpReference(), pcrs={0: bytes(32)})),
    ("gpu", GpuReference(drivers=frozenset({"590.12"}))),
]


@pytest.mark.parametrize(("family", "reference"), EMPTY, ids=[family for family, _ in EMPTY])
def test_reference_that_names_no_software_is_refused(family: str, reference: Reference) -> None:
    assert reference.is_empty
    found = fields(evidence.genuine(family).verify(), reference)
    assert any(field.endswith("Reference") for field in found)


def test_no_alternatives_accept_nothing() -> None:
    assert fields(guest()) == {"Family"}


def test_one_alternative_is_enough_and_the_others_are_not_held_against_it() -> None:
    assert fields(guest(), SgxReference(unique_id=bytes(32)), SnpReference(measurement=OTHER), SNP) == set()


@pytest.mark.parametrize(
    "make",
    [
        lambda: TdxReference(mr_td=bytes(47)),
        lambda: TdxReference(rtmrs=(None,) * 3),
        lambda: SnpReference(measurement=bytes(48)),
        lambda: SnpReference(minimum_tcb={"microcode": 1}),
        lambda: NitroReference(pcrs={0: bytes(48)}),
        lambda: TpmReference(bank=Bank.SHA1, pcrs={0: bytes(20)}),
        lambda: TpmReference(events={4: frozenset()}),
        lambda: CcaReference(rim=bytes(33)),
        lambda: AllOf(parts=(SNP,)),
        lambda: AllOf(parts=(TpmReference(pcrs={0: bytes(32)}), SNP)),
    ],
)
def test_reference_that_cannot_be_meant_is_refused(make: Any) -> None:
    with pytest.raises(ValueError):
        make()


def test_longer_report_data_is_our_own_mistake() -> None:
    with pytest.raises(ValueError):
        appraise(guest(), SNP, report_data=bytes(65))
