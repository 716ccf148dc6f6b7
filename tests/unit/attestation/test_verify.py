"""What genuine Evidence says, and for how long."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

import pytest

from sealmesh.attestation import EnclaveClaims, Family, TcbStatus, parse_collateral, parse_evidence
from sealmesh.attestation.dcap.certificates import Role, parse_chain
from sealmesh.attestation.dcap.tcb_info import IsvLevel, TcbLevel, match_isv_level, match_tcb_level
from sealmesh.attestation.simulated import QuotingEnclave, create_platform, create_vendor
from sealmesh.attestation.tcb import converge
from sealmesh.errors.attestation import EndorsementFormatError, EvidenceFormatError

Scene = Any
S = TcbStatus


def test_claims_are_those_of_the_enclave(scene: Scene) -> None:
    verified = scene.verify()
    claims = verified.claims
    assert isinstance(claims, EnclaveClaims)
    assert verified.family is Family.SGX
    assert verified.raw == scene.quote
    assert (claims.mr_enclave, claims.mr_signer) == (scene.enclave.unique_id, scene.enclave.signer_id)
    assert (claims.isv_prod_id, claims.isv_svn, claims.debug) == (7, 3, False)
    assert claims.report_data == scene.report_data
    assert claims.fmspc == scene.platform.identity.fmspc
    assert claims.ppid == scene.platform.identity.ppid


def test_root_is_the_one_that_was_named_and_carries_simulation(scene: Scene) -> None:
    named = replace(scene.roots[0], name="our lab")
    assert scene.but(roots=(named,)).verify().root == named
    assert scene.verify().root.simulated


def test_verification_knows_nothing_of_simulation(scene: Scene) -> None:
    real = replace(scene.roots[0], simulated=False)
    verified = scene.but(roots=(real,)).verify()
    assert not verified.root.simulated
    assert verified.claims == scene.verify().claims


def test_debug_enclave_is_a_fact_not_a_failure(scene: Scene) -> None:
    quote = scene.platform.quote(replace(scene.enclave, debug=True), scene.report_data)
    assert scene.but(quote=quote).verify().claims.debug


def test_expiry_is_the_earliest_of_everything_that_was_checked(scene: Scene) -> None:
    assert scene.verify().expires == scene.now + timedelta(days=30)
    short = scene.endorsed(lifetime=timedelta(days=2)).collateral
    mixed = scene.with_collateral(pck_crl=short["pck_crl"])
    assert mixed.verify().expires == scene.now + timedelta(days=2)


def test_both_ends_of_a_validity_count(scene: Scene) -> None:
    assert scene.but(now=scene.now + timedelta(days=30)).verify()
    assert scene.but(now=scene.now).verify()


def test_old_evidence_verifies_at_its_time_and_not_later(scene: Scene) -> None:
    assert scene.verify()
    with pytest.raises(Exception, match="expired"):
        scene.but(now=scene.now + timedelta(days=30, seconds=1)).verify()


@pytest.mark.parametrize(
    "now", [datetime(2031, 3, 1, 12), datetime(2031, 3, 1, 12, tzinfo=timezone(timedelta(hours=1)))]
)
def test_time_must_be_utc(scene: Scene, now: datetime) -> None:
    with pytest.raises(ValueError, match="UTC"):
        scene.but(now=now).verify()


def test_a_known_certificate_in_another_spelling_of_base64_is_read_and_refused_as_any(scene: Scene) -> None:
    """The last symbol before `=` has bits that nothing stands in: what is not zero there is no base64."""
    pem = next(pem for pem in _pems(scene) if b"=\n-----END" in pem)
    known = parse_chain(pem, Role.CA)
    at = pem.index(b"=") - 1
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    forged = pem[:at] + alphabet[alphabet.index(pem[at]) ^ 1 :][:1] + pem[at + 1 :]
    assert parse_chain(pem, Role.CA, known=known) == known
    with pytest.raises(EndorsementFormatError):
        parse_chain(forged, Role.CA, known=known)


def _pems(scene: Scene) -> Iterator[bytes]:
    """Yield certificates; the length of a signature is by chance, and with it the padding."""
    while True:
        yield create_vendor(now=scene.now, entropy=os.urandom).pck_ca.pem


def test_pck_chain_may_end_with_a_nul_as_intels_library_leaves_it(scene: Scene) -> None:
    collateral = scene.with_collateral(tcb_info_issuer_chain=scene.collateral["tcb_info_issuer_chain"] + "\0")
    assert collateral.verify()


# --- the Open Enclave header ---


def test_open_enclave_header_is_taken_off(scene: Scene) -> None:
    header = bytes.fromhex("0100000002000000") + len(scene.quote).to_bytes(8, "little")
    wrapped = scene.but(quote=header + scene.quote).verify()
    assert wrapped.claims == scene.verify().claims
    assert wrapped.raw == header + scene.quote


@pytest.mark.parametrize("difference", [-1, 1])
def test_open_enclave_header_of_another_length_is_refused(scene: Scene, difference: int) -> None:
    header = bytes.fromhex("0100000002000000") + (len(scene.quote) + difference).to_bytes(8, "little")
    with pytest.raises(EvidenceFormatError) as caught:
        parse_evidence(header + scene.quote)
    assert caught.value.code == "format:open enclave header"


def test_trailing_byte_is_refused(scene: Scene) -> None:
    with pytest.raises(EvidenceFormatError) as caught:
        parse_evidence(scene.quote + b"\0")
    assert caught.value.code == "format:quote"


@pytest.mark.parametrize(
    ("offset", "value", "code"),
    [
        (0, b"\x02\x00", "format:version"),
        (2, b"\x03\x00", "format:attestation key type"),
        (4, b"\x81\x00\x00\x00", "format:tee type"),
        (12, bytes(16), "format:qe vendor"),
        (432, b"\xff\xff\xff\xff", "format:quote"),
        (-34 - 6, b"\xff\xff", "format:signature data"),
        (-6, b"\x01\x00", "format:certification data"),
    ],
)
def test_quote_with_a_nonsense_field_is_refused(scene: Scene, offset: int, value: bytes, code: str) -> None:
    if offset < 0:  # counted from the PCK chain
        offset += scene.quote.index(b"-----BEGIN")
    raw = scene.quote[:offset] + value + scene.quote[offset + len(value) :]
    with pytest.raises(EvidenceFormatError) as caught:
        parse_evidence(raw)
    assert caught.value.code == code


# --- collateral ---


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"pck_crl": 1}',
        b'{"a": 1, "a": 1}',
        b"\xff",
        b"{" + b'"a":{' * 100_000,
    ],
)
def test_document_that_is_no_collateral_is_refused(data: bytes) -> None:
    with pytest.raises(EndorsementFormatError):
        parse_collateral(data)


def test_unknown_field_in_the_collateral_is_refused(scene: Scene) -> None:
    with pytest.raises(EndorsementFormatError, match="unknown field"):
        scene.with_collateral(extra="").verify()


def test_blanks_in_hexadecimal_are_refused(scene: Scene) -> None:
    with pytest.raises(EndorsementFormatError, match="pck_crl"):
        scene.with_collateral(pck_crl=" " + scene.collateral["pck_crl"]).verify()


def test_collateral_of_any_size_is_refused_beyond_the_limit() -> None:
    with pytest.raises(EndorsementFormatError) as caught:
        parse_collateral(b" " * (4 * 1024 * 1024 + 1))
    assert caught.value.code == "limit:collateral"


# --- TCB levels ---


def level(svn: int, pce_svn: int, status: TcbStatus, *advisories: str) -> TcbLevel:
    return TcbLevel(
        components=(svn,) * 16, pce_svn=pce_svn, tdx_components=None, status=status, advisories=advisories
    )


LEVELS = (
    level(4, 11, S.UP_TO_DATE),
    level(3, 11, S.SW_HARDENING_NEEDED, "INTEL-SA-00615"),
    level(2, 5, S.OUT_OF_DATE, "INTEL-SA-00960"),
    level(1, 5, S.REVOKED, "INTEL-SA-00001"),
)


@pytest.mark.parametrize(
    ("components", "pce_svn", "status"),
    [
        ((4,) * 16, 11, S.UP_TO_DATE),
        ((255,) * 16, 65535, S.UP_TO_DATE),
        ((4,) * 15 + (3,), 11, S.SW_HARDENING_NEEDED),
        ((4,) * 16, 10, S.OUT_OF_DATE),
        ((255,) * 15 + (1,), 11, S.REVOKED),
        ((4,) * 16, 4, None),
        ((0,) + (9,) * 15, 11, None),
    ],
)
def test_first_level_reached_in_every_component_counts(
    components: tuple[int, ...], pce_svn: int, status: TcbStatus | None
) -> None:
    found = match_tcb_level(LEVELS, components=components, pce_svn=pce_svn)
    assert (found.status if found else None) == status


@pytest.mark.parametrize(("svn", "found"), [(9, 8), (8, 8), (7, 6), (5, None)])
def test_isv_level_is_the_first_that_is_reached(svn: int, found: int | None) -> None:
    levels = tuple(IsvLevel(isv_svn=n, status=S.UP_TO_DATE, advisories=()) for n in (8, 6))
    matched = match_isv_level(levels, svn)
    assert (matched.isv_svn if matched else None) == found


CONFIGURATION = (S.CONFIGURATION_NEEDED, S.CONFIGURATION_AND_SW_HARDENING_NEEDED)


INTELS = [status for status in S if status is not S.NOT_JUDGED]


@pytest.mark.parametrize("platform", INTELS)
@pytest.mark.parametrize("component", INTELS)
def test_component_never_improves_a_platform(platform: TcbStatus, component: TcbStatus) -> None:
    status = converge(platform, component)
    if component is S.UP_TO_DATE or platform is S.REVOKED:
        assert status is platform
    elif component in (S.REVOKED, S.NOT_SUPPORTED):
        assert status is component
    elif platform in (*CONFIGURATION, S.OUT_OF_DATE_CONFIGURATION_NEEDED):
        assert status is S.OUT_OF_DATE_CONFIGURATION_NEEDED
    else:
        assert status is (S.NOT_SUPPORTED if platform is S.NOT_SUPPORTED else S.OUT_OF_DATE)


@pytest.mark.parametrize(
    ("svn", "qe_svn", "status", "platform_status", "qe_status", "advisories"),
    [
        (4, 8, S.UP_TO_DATE, S.UP_TO_DATE, S.UP_TO_DATE, ()),
        (3, 8, S.SW_HARDENING_NEEDED, S.SW_HARDENING_NEEDED, S.UP_TO_DATE, ("INTEL-SA-00615",)),
        (3, 6, S.OUT_OF_DATE, S.SW_HARDENING_NEEDED, S.OUT_OF_DATE, ("INTEL-SA-00477", "INTEL-SA-00615")),
        (4, 6, S.OUT_OF_DATE, S.UP_TO_DATE, S.OUT_OF_DATE, ("INTEL-SA-00477", "INTEL-SA-00615")),
        (4, 1, S.REVOKED, S.UP_TO_DATE, S.REVOKED, ()),
        (1, 8, S.REVOKED, S.REVOKED, S.UP_TO_DATE, ("INTEL-SA-00001",)),
        (0, 8, S.NOT_SUPPORTED, S.NOT_SUPPORTED, S.UP_TO_DATE, ()),
    ],
)
def test_status_is_the_platforms_lowered_by_the_quoting_enclaves(
    scene: Scene,
    svn: int,
    qe_svn: int,
    status: TcbStatus,
    platform_status: TcbStatus,
    qe_status: TcbStatus,
    advisories: tuple[str, ...],
) -> None:
    platform = create_platform(
        scene.vendor,
        now=scene.now,
        entropy=Random(2).randbytes,
        components=(svn,) * 16,
        pce_svn=11,
        quoting_enclave=QuotingEnclave(isv_svn=qe_svn),
    )
    qe_levels = (
        IsvLevel(isv_svn=8, status=S.UP_TO_DATE, advisories=()),
        IsvLevel(isv_svn=6, status=S.OUT_OF_DATE, advisories=("INTEL-SA-00477", "INTEL-SA-00615")),
    )
    quote = platform.quote(scene.enclave, scene.report_data)
    tcb = scene.endorsed(tcb_levels=LEVELS, qe_levels=qe_levels).but(quote=quote).verify().tcb
    assert (tcb.status, tcb.platform_status, tcb.qe_status) == (status, platform_status, qe_status)
    assert tcb.advisories == advisories
