"""The directory of a simulated platform."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sealmesh.adapters.attester.package import load, sign
from sealmesh.adapters.attester.platform import open_or_create
from sealmesh.adapters.attester.simulated import SimulatedAttester
from sealmesh.adapters.endorser import BundleEndorser, SeveralEndorsers, SimulatedEndorser
from sealmesh.attestation import (
    INTEL,
    SgxReference,
    TrustRoot,
    appraise,
    parse_collateral,
    parse_evidence,
    verify,
)
from sealmesh.errors.attestation import EndorserError, PackageError, PlatformError, VerificationError

START = datetime(2031, 3, 1, 12, tzinfo=UTC)
Package = Any


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def expiry(evidence: bytes, collateral: bytes, root: TrustRoot, now: datetime) -> datetime:
    return verify(parse_evidence(evidence), parse_collateral(collateral), roots=[root], now=now).expires


def attester(directory: Path, package: Package, clock: Clock) -> SimulatedAttester:
    sign(package.path)
    return SimulatedAttester(directory, load(package.path), clock=clock)


def test_evidence_of_a_package_is_verified_and_appraised(
    tmp_path: Path, package: Package, clock: Clock
) -> None:
    simulated = attester(tmp_path / "p", package, clock)
    verified = verify(
        parse_evidence(simulated.evidence(b"certificate hash")),
        parse_collateral(simulated.endorsements()),
        roots=[simulated.trust_root()],
        now=clock.now,
    )
    reference = SgxReference(unique_id=load(package.path).unique_id, product_id=7, security_version=3)
    appraise(verified, reference, report_data=b"certificate hash")
    assert verified.root.simulated
    assert "simulated" in simulated.describe()


def test_intels_root_does_not_accept_a_simulated_platform(
    tmp_path: Path, package: Package, clock: Clock
) -> None:
    simulated = attester(tmp_path / "p", package, clock)
    with pytest.raises(VerificationError) as caught:
        expiry(simulated.evidence(b""), simulated.endorsements(), INTEL, clock.now)
    assert caught.value.code == "crl sig:root"


def test_changed_package_gives_no_evidence(tmp_path: Path, package: Package, clock: Clock) -> None:
    sign(package.path)
    (package.path / "app.py").write_text("print('thief')\n")
    with pytest.raises(PackageError, match=r"file app\.py changed"):
        SimulatedAttester(tmp_path / "p", load(package.path), clock=clock)
    assert not (tmp_path / "p").exists()


def test_seal_keys_are_the_platforms(tmp_path: Path, package: Package, clock: Clock) -> None:
    first = attester(tmp_path / "p", package, clock)
    again = attester(tmp_path / "p", package, clock)
    other = attester(tmp_path / "q", package, clock)
    assert first.seal_key("ProductKey") == again.seal_key("ProductKey") != other.seal_key("ProductKey")
    assert first.seal_key("UniqueKey") == again.seal_key("UniqueKey") != first.seal_key("ProductKey")
    with pytest.raises(ValueError, match="Disabled"):
        first.seal_key("Disabled")


def test_report_data_has_at_most_64_bytes(tmp_path: Path, package: Package, clock: Clock) -> None:
    with pytest.raises(ValueError, match="64"):
        attester(tmp_path / "p", package, clock).evidence(bytes(65))


# --- the directory ---


def test_directory_and_keys_are_private(tmp_path: Path) -> None:
    directory = open_or_create(tmp_path / "deep" / "p")
    directory.collateral()
    directory.house_key()
    assert directory.path.stat().st_mode & 0o777 == 0o700
    for file in directory.path.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600, file
    assert {file.name for file in directory.path.iterdir()} == {
        "platform.json", "collateral.json", "house-key.pem", "trust-root.json", "lock",
    }  # fmt: skip


@pytest.mark.parametrize("mode", [0o755, 0o710, 0o707])
def test_directory_that_others_may_enter_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "p"
    path.mkdir()
    path.chmod(mode)
    with pytest.raises(PlatformError) as caught:
        open_or_create(path)
    assert caught.value.code == "platform:permissions"
    assert f"chmod 700 {path}" in str(caught.value)
    assert list(path.iterdir()) == []


def test_file_in_the_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p").touch()
    with pytest.raises(PlatformError) as caught:
        open_or_create(tmp_path / "p")
    assert caught.value.code == "platform:directory"


def test_damaged_platform_is_refused_and_kept(tmp_path: Path) -> None:
    open_or_create(tmp_path / "p")
    file = tmp_path / "p" / "platform.json"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(PlatformError) as caught:
        open_or_create(tmp_path / "p")
    assert caught.value.code == "platform:damaged"
    assert len(file.read_bytes()) == 100


def test_platform_stays_the_same(tmp_path: Path) -> None:
    first, again = open_or_create(tmp_path / "p"), open_or_create(tmp_path / "p")
    assert first.trust_root == again.trust_root
    assert first.platform.pck_chain == again.platform.pck_chain
    assert open_or_create(tmp_path / "q").trust_root != first.trust_root


def test_processes_that_start_at_once_make_one_platform(tmp_path: Path) -> None:
    script = (
        "import sys; from hashlib import sha256; from pathlib import Path\n"
        "from sealmesh.adapters.attester.platform import open_or_create\n"
        "p = open_or_create(Path(sys.argv[1])); k = p.house_key()\n"
        "print(p.trust_root.sha256.hex(), sha256(p.collateral()).hexdigest(), k.private_numbers().d % 10**9)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "p")]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    answers = {process.communicate()[0] for process in processes}
    assert [process.returncode for process in processes] == [0] * 4
    assert len(answers) == 1


# --- collateral ---


def test_collateral_is_reissued_long_before_it_expires(
    tmp_path: Path, package: Package, clock: Clock
) -> None:
    simulated = attester(tmp_path / "p", package, clock)
    root, quote = simulated.trust_root(), simulated.evidence(b"")
    first = simulated.endorsements()
    clock.now += timedelta(days=19)
    assert simulated.endorsements() == first
    for _ in range(40):
        clock.now += timedelta(days=3)
        assert expiry(quote, simulated.endorsements(), root, clock.now) > clock.now + timedelta(days=9)


def test_processes_share_what_was_published(tmp_path: Path, clock: Clock) -> None:
    first = open_or_create(tmp_path / "p", clock=clock)
    published = first.collateral()
    assert open_or_create(tmp_path / "p", clock=clock).collateral() == published
    clock.now += timedelta(days=25)
    renewed = open_or_create(tmp_path / "p", clock=clock).collateral()
    assert renewed != published
    assert first.collateral() == renewed


def test_clock_that_went_back_gets_collateral_of_its_time(
    tmp_path: Path, package: Package, clock: Clock
) -> None:
    simulated = attester(tmp_path / "p", package, clock)
    simulated.endorsements()
    clock.now -= timedelta(hours=12)
    assert expiry(simulated.evidence(b""), simulated.endorsements(), simulated.trust_root(), clock.now)


@pytest.mark.parametrize("content", [b"", b"{}", b"garbage"])
def test_damaged_collateral_is_issued_anew(
    tmp_path: Path, package: Package, clock: Clock, content: bytes
) -> None:
    attester(tmp_path / "p", package, clock).endorsements()
    (tmp_path / "p" / "collateral.json").write_bytes(content)
    simulated = attester(tmp_path / "p", package, clock)
    assert expiry(simulated.evidence(b""), simulated.endorsements(), simulated.trust_root(), clock.now)


def test_collateral_of_another_platform_is_not_published(
    tmp_path: Path, package: Package, clock: Clock
) -> None:
    foreign = open_or_create(tmp_path / "q", clock=clock).collateral()
    simulated = attester(tmp_path / "p", package, clock)
    (tmp_path / "p" / "collateral.json").write_bytes(foreign)
    assert expiry(simulated.evidence(b""), simulated.endorsements(), simulated.trust_root(), clock.now)


# --- endorsers ---


def test_endorser_of_the_platform_has_its_collateral(tmp_path: Path, package: Package, clock: Clock) -> None:
    simulated = attester(tmp_path / "p", package, clock)
    endorser = SimulatedEndorser(open_or_create(tmp_path / "p", clock=clock))
    evidence = simulated.evidence(b"")
    collateral = endorser.collateral_for(parse_evidence(evidence))
    assert collateral == simulated.endorsements()
    assert endorser.collateral_for(parse_evidence(evidence)) == collateral


def test_bundle_is_chosen_by_the_kind_of_platform(tmp_path: Path, package: Package, clock: Clock) -> None:
    simulated = attester(tmp_path / "p", package, clock)
    evidence = parse_evidence(simulated.evidence(b""))
    bundles = tmp_path / "bundles"
    bundles.mkdir()
    old = simulated.endorsements()
    (bundles / "z-old.json").write_bytes(old)
    clock.now += timedelta(days=25)
    new = simulated.endorsements()
    (bundles / "a-new.json").write_bytes(new)
    assert BundleEndorser(bundles).collateral_for(evidence) == new
    assert BundleEndorser(bundles / "z-old.json").collateral_for(evidence) == old


def test_bundle_without_this_kind_of_platform_says_so(tmp_path: Path, package: Package, clock: Clock) -> None:
    shared = Path(__file__).resolve().parents[4] / ".." / "shared" / "vectors" / "sgx"
    if not shared.exists():
        pytest.skip("shared/ is absent")
    bundle = BundleEndorser(shared / "collateral-sgx-00606A000000-2025-08.json")
    evidence = parse_evidence(attester(tmp_path / "p", package, clock).evidence(b""))
    with pytest.raises(EndorserError) as caught:
        bundle.collateral_for(evidence)
    assert caught.value.found == "sgx/00606a000000"
    assert caught.value.wanted == "sgx/53494d000000"
    simulated = SimulatedEndorser(open_or_create(tmp_path / "p", clock=clock))
    assert SeveralEndorsers([bundle, simulated]).collateral_for(evidence)
    with pytest.raises(EndorserError, match="no Endorser"):
        SeveralEndorsers([bundle, bundle]).collateral_for(evidence)
    real = parse_evidence((shared / "automata-icx-a.quote").read_bytes())
    assert SeveralEndorsers([simulated, bundle]).collateral_for(real)


@pytest.mark.parametrize("content", [None, b"", b"{}"])
def test_bundle_of_no_collateral_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(EndorserError):
        BundleEndorser(tmp_path)


def test_no_endorsers_at_all_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="at least one"):
        SeveralEndorsers([])


def test_each_of_several_simulated_platforms_gets_its_own_collateral(
    tmp_path: Path, package: Package, clock: Clock
) -> None:
    attesters = [attester(tmp_path / name, package, clock) for name in ("p", "q")]
    several = SeveralEndorsers(
        [SimulatedEndorser(open_or_create(tmp_path / name, clock=clock)) for name in ("p", "q")]
    )
    for simulated in (*attesters, *reversed(attesters)):
        quote = simulated.evidence(b"")
        collateral = several.collateral_for(parse_evidence(quote))
        assert expiry(quote, collateral, simulated.trust_root(), clock.now)


def test_foreign_simulated_platform_is_refused_by_verification(
    tmp_path: Path, package: Package, clock: Clock
) -> None:
    ours = open_or_create(tmp_path / "p", clock=clock)
    thief = attester(tmp_path / "q", package, clock)
    quote = thief.evidence(b"")
    for endorser in (SimulatedEndorser(ours), SeveralEndorsers([SimulatedEndorser(ours)])):
        collateral = endorser.collateral_for(parse_evidence(quote))
        with pytest.raises(VerificationError) as caught:
            expiry(quote, collateral, ours.trust_root, clock.now)
        assert caught.value.code == "root:pck"
