"""Endorsements of every family from files and simulated platforms; roots by the names an operator writes."""

import importlib.util
import sys
from base64 import encodebytes
from pathlib import Path
from types import ModuleType

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealmesh.adapters.attester.platform import PlatformDirectory, open_or_create
from sealmesh.adapters.endorser import (
    BundleEndorser,
    Endorser,
    FamilyFilesEndorser,
    SeveralEndorsers,
    SimulatedEndorser,
)
from sealmesh.attestation import (
    VENDOR_ROOTS,
    Family,
    GpuCollateral,
    SnpCollateral,
    TpmCollateral,
    Unchecked,
    UnverifiedEvidence,
    parse_endorsements,
    parse_evidence,
    verify,
)
from sealmesh.attestation.simulated import SimulatedTd, td_quote
from sealmesh.errors.attestation import AttestationError, EndorserError, PlatformError
from sealmesh.server.evidence_choice import read_roots


def _load(name: str) -> ModuleType:
    full = f"evidence_{name}"
    if full not in sys.modules:
        path = Path(__file__).resolve().parents[3] / "evidence" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(full, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[full] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]


evidence = _load("genuine")
gpu = _load("gpu")


def parsed(family: str) -> UnverifiedEvidence:
    return parse_evidence(evidence.genuine(family).raw)


def pem(der: bytes, label: str = "CERTIFICATE") -> bytes:
    return b"-----BEGIN %b-----\n%b-----END %b-----\n" % (label.encode(), encodebytes(der), label.encode())


def test_each_family_gets_its_file(tmp_path: Path) -> None:
    for name in ("snp.pem", "cca.jwks", "tpm.pem", "gpu.pem"):
        (tmp_path / name).write_bytes(name.encode())
    endorser = FamilyFilesEndorser(tmp_path)
    for family, name in (
        ("snp", "snp.pem"),
        ("azure", "snp.pem"),
        ("cca", "cca.jwks"),
        ("tpm", "tpm.pem"),
        ("gpu", "gpu.pem"),
    ):
        assert endorser.collateral_for(parsed(family)) == name.encode()


@pytest.mark.parametrize("family", ["tdx", "azure-tdx", "nitro"])
def test_file_of_another_family_is_not_given(tmp_path: Path, family: str) -> None:
    (tmp_path / "snp.pem").write_bytes(b"x")
    with pytest.raises(EndorserError):
        FamilyFilesEndorser(tmp_path).collateral_for(parsed(family))


def test_directory_without_any_file_is_refused(tmp_path: Path) -> None:
    assert not FamilyFilesEndorser.has_any(tmp_path)
    with pytest.raises(EndorserError):
        FamilyFilesEndorser(tmp_path)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> PlatformDirectory:
    return open_or_create(tmp_path_factory.mktemp("platform") / "p")


def test_simulated_platform_endorses_its_tds(platform: PlatformDirectory) -> None:
    td = td_quote(platform.platform, SimulatedTd.of(evidence.PROGRAM), bytes(64))
    own = parse_evidence(td)
    collateral = parse_endorsements(own, SimulatedEndorser(platform).collateral_for(own))
    verified = verify(own, collateral, roots=platform.trust_roots, now=platform.clock())
    assert verified.root.simulated


def test_simulated_platform_has_a_root_for_each_of_its_tees(platform: PlatformDirectory) -> None:
    families = {root.family for root in platform.trust_roots}
    assert families == {Family.SGX, Family.TDX, Family.SNP, Family.NITRO, Family.TPM}
    again = open_or_create(platform.path)
    assert again.trust_roots == platform.trust_roots


@pytest.mark.parametrize("name", ["snp.json", "nitro.json", "tpm.json"])
@pytest.mark.parametrize("damage", [b"", b"{}", b"null", b'{"format": 7}', b"[" * 100_000])
def test_damaged_machine_is_refused_and_not_replaced(tmp_path: Path, name: str, damage: bytes) -> None:
    before = open_or_create(tmp_path / "p")
    assert before.trust_roots
    (tmp_path / "p" / name).write_bytes(damage)
    with pytest.raises(PlatformError) as caught:
        _ = open_or_create(tmp_path / "p").trust_roots
    assert caught.value.code == "platform:damaged"
    assert (tmp_path / "p" / name).read_bytes() == damage


def test_endorsers_of_dcap_say_what_is_not_theirs(platform: PlatformDirectory, tmp_path: Path) -> None:
    (tmp_path / "tdx.json").write_bytes(platform.collateral(Family.TDX))
    endorsers: list[Endorser] = [SimulatedEndorser(platform), BundleEndorser(tmp_path)]
    for endorser in (*endorsers, SeveralEndorsers(endorsers)):
        with pytest.raises(EndorserError):
            endorser.collateral_for(parsed("snp"))


def test_several_endorsers_give_what_one_of_them_has(platform: PlatformDirectory, tmp_path: Path) -> None:
    (tmp_path / "snp.pem").write_bytes(b"x")
    several = SeveralEndorsers([SimulatedEndorser(platform), FamilyFilesEndorser(tmp_path)])
    assert several.collateral_for(parsed("snp")) == b"x"


def test_bundle_gives_a_tds_collateral_also_below_azure(platform: PlatformDirectory, tmp_path: Path) -> None:
    raw = platform.collateral(Family.TDX)
    (tmp_path / "tdx.json").write_bytes(raw)
    bundle = BundleEndorser(tmp_path)
    assert bundle.collateral_for(parsed("tdx")) == raw
    assert bundle.collateral_for(parsed("azure-tdx")) == raw


# What stands in the files


def test_snp_file_holds_certificates_and_a_list() -> None:
    chip = evidence.machines().chip
    crl = chip.crl(issued=evidence.NOW, lifetime=evidence.NOW - evidence.NOW.replace(year=2030))
    raw = b"ARK and ASK\n" + pem(chip.ask) + pem(chip.ark) + pem(chip.vcek) + pem(crl, "X509 CRL")
    collateral = parse_endorsements(parsed("snp"), raw)
    assert isinstance(collateral, SnpCollateral)
    assert (collateral.leaf, set(collateral.candidates), collateral.crl) == (
        chip.vcek, {chip.ask, chip.ark}, crl,
    )  # fmt: skip


def test_certificate_of_another_chip_is_not_taken() -> None:
    chip = evidence.machines().chip
    other = parse_evidence(chip.report(evidence.SimulatedGuest.of(evidence.PROGRAM), bytes(64)))
    forged = parse_evidence(_with_chip_id(other.raw, bytes(64)))
    collateral = parse_endorsements(forged, pem(chip.vcek))
    assert isinstance(collateral, SnpCollateral)
    assert collateral.leaf is None


def _with_chip_id(raw: bytes, chip_id: bytes) -> bytes:
    return raw[:0x1A0] + chip_id + raw[0x1E0:]


def test_two_lists_are_ambiguous() -> None:
    crl = pem(b"\x30\x00", "X509 CRL")
    with pytest.raises(AttestationError) as caught:
        parse_endorsements(parsed("snp"), crl + crl)
    assert caught.value.code == "format:endorsements"


def test_keys_of_tpms_are_added_to_the_one_that_evidence_names() -> None:
    other = gpu.ROOT_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    collateral = parse_endorsements(parsed("tpm"), other)
    assert isinstance(collateral, TpmCollateral)
    assert isinstance(collateral.nonce, Unchecked)
    assert len(collateral.key.keys) == 2  # type: ignore[union-attr]


def test_gpu_file_holds_lists() -> None:
    crl = gpu.crl()
    collateral = parse_endorsements(parsed("gpu"), pem(crl, "X509 CRL"))
    assert isinstance(collateral, GpuCollateral)
    assert collateral.crls == (crl,)
    assert collateral.chain is None


# Roots by name


@pytest.mark.parametrize("name", VENDOR_ROOTS)
def test_vendors_are_known_by_name(name: str) -> None:
    assert read_roots(name) == (VENDOR_ROOTS[name],)
    assert not VENDOR_ROOTS[name].simulated


def test_any_family_can_have_a_root_of_its_own() -> None:
    (root,) = read_roots(f"tpm:lab={'ab' * 32}")
    assert (root.name, root.family, root.sha256) == ("lab", Family.TPM, b"\xab" * 32)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "named", ["sev:lab=" + "ab" * 32, "composite:lab=" + "ab" * 32, "tpm:=" + "ab" * 32, "tpm:lab=ab"]
)
def test_root_that_cannot_be_meant_is_refused(named: str) -> None:
    with pytest.raises(ValueError, match="FAMILY"):
        read_roots(named)
