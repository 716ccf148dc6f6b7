"""Quotes that name their PCK certificate (certification data of type 1 to 3) instead of carrying it."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from sealmesh.adapters.endorser import BundleEndorser, Endorser, SeveralEndorsers
from sealmesh.adapters.endorser.choice import open_endorsers, read_endorsers
from sealmesh.adapters.endorser.contents import contents_of
from sealmesh.adapters.endorser.fetching import HttpsFetching
from sealmesh.adapters.endorser.intel import IntelEndorser
from sealmesh.adapters.endorser.intel_server import IntelServer
from sealmesh.adapters.endorser.item_cache import ItemCache
from sealmesh.attestation import (
    Family,
    UnverifiedEvidence,
    VerifiedEvidence,
    parse_collateral,
    parse_endorsements,
    parse_evidence,
    verify,
)
from sealmesh.attestation.dcap.collateral import encode_collateral
from sealmesh.attestation.simulated import (
    EndorsementPlan,
    SimulatedEnclave,
    SimulatedTd,
    create_platform,
    issue_collateral,
    td_quote,
)
from sealmesh.cli import main
from sealmesh.coordinator.examination import Examiner
from sealmesh.errors.attestation import (
    AttestationError,
    EndorsementFormatError,
    EndorserError,
    EndorserExhausted,
    EvidenceFormatError,
    VerificationError,
)

ENCLAVE = SimulatedEnclave(unique_id=b"\1" * 32, signer_id=b"\2" * 32, product_id=1, security_version=1)
DATA = bytes(64)
PPIDS = {1: bytes(16), 2: bytes(256), 3: bytes(range(256)) + bytes(128)}
PCK_CERT = "/sgx/certification/v4/pckcert"


def naming(platform: Any, quote: bytes, kind: int = 3, ppid: bytes | None = None) -> bytes:
    """Return the quote with what names its PCK certificate in the chain's place; no signature covers that."""
    identity, chain = platform.identity, platform.pck_chain
    name = (PPIDS[kind] if ppid is None else ppid) + identity.cpu_svn
    name += identity.pce_svn.to_bytes(2, "little") + identity.pce_id
    old = (5).to_bytes(2, "little") + len(chain).to_bytes(4, "little") + chain
    new = kind.to_bytes(2, "little") + len(name).to_bytes(4, "little") + name
    assert quote.endswith(old)
    changed = bytearray(quote.removesuffix(old) + new)
    less = len(new) - len(old)
    nested = quote[:2] == b"\4\0"
    lengths = [48 + 584, 48 + 584 + 4 + 64 + 64 + 2] if nested else [48 + 384]
    for place in lengths:
        value = int.from_bytes(changed[place : place + 4], "little") + less
        changed[place : place + 4] = value.to_bytes(4, "little")
    return bytes(changed)


def sgx(world: Any, kind: int = 3) -> UnverifiedEvidence:
    return parse_evidence(naming(world.platform, world.platform.quote(ENCLAVE, DATA), kind))


def tdx(world: Any, kind: int = 3) -> UnverifiedEvidence:
    quote = td_quote(world.platform, SimulatedTd.of(ENCLAVE), DATA)
    return parse_evidence(naming(world.platform, quote, kind))


QUOTES: dict[str, Callable[..., UnverifiedEvidence]] = {"sgx": sgx, "tdx": tdx}


def roots(world: Any) -> tuple[Any, ...]:
    vendor = world.platform.vendor
    return vendor.trust_root, vendor.trust_root_for(Family.TDX)


def judge(world: Any, evidence: UnverifiedEvidence, raw: bytes) -> VerifiedEvidence:
    return verify(evidence, parse_endorsements(evidence, raw), roots=roots(world), now=world.now)


@pytest.fixture
def endorser(world: Any, tmp_path: Path) -> Callable[..., Endorser]:
    def make(kind: str = "pccs", **how: Any) -> Endorser:
        (choice,) = read_endorsers(f"{kind}:{world.base}?ca={world.ca}")
        return SeveralEndorsers(open_endorsers(choice, tmp_path / "cache", clock=world.clock, **how))

    return make


@pytest.fixture
def intel(world: Any) -> Endorser:
    """The server of Intel itself, but for its address and its root's revocation list."""
    server = IntelServer(base=world.base, root_crl=None)
    return IntelEndorser(server, ItemCache(HttpsFetching(world.ca), clock=world.clock))


@pytest.mark.parametrize("kind", [1, 2, 3])
@pytest.mark.parametrize("family", QUOTES)
def test_a_caching_service_has_the_certificate_by_the_quoting_enclaves_id(
    world: Any, endorser: Any, family: str, kind: int
) -> None:
    evidence = QUOTES[family](world, kind)
    raw = endorser().collateral_for(evidence)
    assert judge(world, evidence, raw).family == family
    (asked,) = [query for query in world.queries if "pckcert" in query]
    assert asked.startswith(f"{PCK_CERT}?qeid={bytes(16).hex()}&cpusvn=")
    assert "encrypted_ppid" not in asked


def test_intels_server_has_the_certificate_by_the_encrypted_ppid(world: Any, intel: Endorser) -> None:
    evidence = sgx(world)
    assert judge(world, evidence, intel.collateral_for(evidence)).family is Family.SGX
    (asked,) = [query for query in world.queries if "pckcert" in query]
    assert asked.startswith(f"{PCK_CERT}?encrypted_ppid={PPIDS[3].hex()}&cpusvn=")


@pytest.mark.parametrize("kind", [1, 2])
def test_intels_server_does_not_take_other_forms_of_ppid(world: Any, intel: Endorser, kind: int) -> None:
    with pytest.raises(EndorserError) as caught:
        intel.collateral_for(sgx(world, kind))
    assert (caught.value.code, caught.value.found) == ("endorser:pck", f"certification data of type {kind}")
    assert world.asked[PCK_CERT] == 0


def test_the_certificate_is_fetched_once(world: Any, endorser: Any) -> None:
    evidence = sgx(world)
    first = endorser().collateral_for(evidence)
    assert endorser().collateral_for(evidence) == first
    assert world.asked[PCK_CERT] == 1


def test_a_quote_that_carries_its_certificate_asks_for_none(world: Any, endorser: Any) -> None:
    evidence = parse_evidence(world.platform.quote(ENCLAVE, DATA))
    raw = endorser().collateral_for(evidence)
    assert judge(world, evidence, raw)
    assert world.asked[PCK_CERT] == 0
    assert b"pck_certificate_chain" not in raw


def test_a_coordinator_admits_such_a_quote(world: Any, endorser: Any) -> None:
    examiner = Examiner(endorser=endorser(), roots=roots(world))
    assert isinstance(examiner.examine(sgx(world).raw, world.now), VerifiedEvidence)
    assert isinstance(examiner.examine(tdx(world).raw, world.now), VerifiedEvidence)


def test_files_give_the_document_whose_certificate_signed_the_quote(
    world: Any, endorser: Any, tmp_path: Path
) -> None:
    """Also where another platform of the same kind has a document beside it."""
    evidence, folder = sgx(world), tmp_path / "collateral"
    folder.mkdir()
    other = create_platform(world.platform.vendor, now=world.now, entropy=os.urandom)
    raw = endorser().collateral_for(evidence)
    parts = json.loads(raw)
    foreign = {**parts, "pck_certificate_chain": other.pck_chain.decode()}
    (folder / "a.json").write_text(json.dumps(foreign))
    (folder / "b.json").write_bytes(raw)
    found = BundleEndorser(folder).collateral_for(evidence)
    assert found == raw
    assert judge(world, evidence, found)
    names = [part.name for part in contents_of(raw)]
    assert "PCK certificate chain" in names


def test_files_without_the_certificate_say_so(world: Any, tmp_path: Path) -> None:
    plan = EndorsementPlan(issued=world.now)
    (tmp_path / "c.json").write_bytes(issue_collateral(world.platform.vendor, plan))
    with pytest.raises(EndorserError) as caught:
        BundleEndorser(tmp_path).collateral_for(sgx(world))
    assert caught.value.code == "endorser:pck"
    assert "collateral fetch" in str(caught.value.wanted)


def test_the_command_fetches_documents_for_single_platforms(
    world: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two platforms of one kind: the one that names its certificate has a document of its own."""
    naming_file, carrying_file = tmp_path / "naming", tmp_path / "carrying"
    naming_file.write_bytes(sgx(world).raw)
    carrying_file.write_bytes(world.platform.quote(ENCLAVE, DATA))
    where = ("--endorser", f"pccs:{world.base}?ca={world.ca}", "-o", str(tmp_path / "out"))
    assert main(["collateral", "bundle", str(naming_file), str(carrying_file), *where]) == 0
    capsys.readouterr()
    identity = world.platform.identity
    kind = f"sgx-{identity.fmspc.hex()}"
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == sorted([f"{kind}-{identity.ppid.hex()}.json", f"{kind}.json"])
    files = BundleEndorser(tmp_path / "out")
    for evidence in (sgx(world), parse_evidence(carrying_file.read_bytes())):
        assert judge(world, evidence, files.collateral_for(evidence))


# Attacks


def test_another_platforms_certificate_does_not_verify_the_quote(world: Any, endorser: Any) -> None:
    """The server, or whoever answers in its place, hands out a genuine certificate of another machine."""
    evidence = sgx(world)
    other = create_platform(world.platform.vendor, now=world.now, entropy=os.urandom)
    world.changed[PCK_CERT] = lambda answer: (200, answer[1], other.pck.pem)
    raw = endorser().collateral_for(evidence)
    with pytest.raises(VerificationError) as caught:
        judge(world, evidence, raw)
    assert caught.value.code == "signature:qe report"


def test_a_certificate_of_nobodys_is_refused(world: Any, endorser: Any) -> None:
    world.changed[PCK_CERT] = lambda answer: (200, answer[1], b"<html>")
    with pytest.raises(EndorserError) as caught:
        endorser().collateral_for(sgx(world))
    assert caught.value.code == "endorser:unreachable"


def test_a_revoked_certificate_is_refused(world: Any, endorser: Any) -> None:
    serial = parse_serial(world.platform.pck.pem)
    world.plan = replace(world.plan, revoked_by_ca=frozenset({serial}))
    evidence = sgx(world)
    with pytest.raises(VerificationError) as caught:
        judge(world, evidence, endorser().collateral_for(evidence))
    assert caught.value.code == "revoked:pck"


def test_without_any_certificate_the_quote_is_refused(world: Any) -> None:
    raw = issue_collateral(world.platform.vendor, EndorsementPlan(issued=world.now))
    with pytest.raises(EndorsementFormatError) as caught:
        judge(world, sgx(world), raw)
    assert caught.value.code == "format:pck chain"


def test_the_quotes_own_certificate_counts_and_not_the_collaterals(world: Any) -> None:
    other = create_platform(world.platform.vendor, now=world.now, entropy=os.urandom)
    raw = issue_collateral(world.platform.vendor, EndorsementPlan(issued=world.now))
    evidence = parse_evidence(world.platform.quote(ENCLAVE, DATA))
    changed = {**json.loads(raw), "pck_certificate_chain": other.pck_chain.decode()}
    assert judge(world, evidence, json.dumps(changed).encode())


def test_made_up_names_cost_tokens(world: Any, endorser: Any) -> None:
    asked, quote = endorser(limit=3), world.platform.quote(ENCLAVE, DATA)
    refusals = []
    for number in range(8):
        made_up = naming(replace_versions(world.platform, number), quote)
        with pytest.raises(AttestationError) as caught:
            asked.collateral_for(parse_evidence(made_up))
        refusals.append(type(caught.value))
    assert refusals.count(EndorserExhausted) == 5
    assert world.asked[PCK_CERT] == 3


@pytest.mark.parametrize("length", [0, 15, 17, 383, 385])
def test_a_name_of_another_length_is_refused(world: Any, length: int) -> None:
    raw = naming(world.platform, world.platform.quote(ENCLAVE, DATA), 3, bytes(length))
    with pytest.raises(EvidenceFormatError):
        parse_evidence(raw)


@pytest.mark.parametrize("kind", [0, 4, 6, 7])
def test_another_type_of_certification_data_is_refused(world: Any, kind: int) -> None:
    raw = naming(world.platform, world.platform.quote(ENCLAVE, DATA), kind, bytes(16))
    with pytest.raises(EvidenceFormatError) as caught:
        parse_evidence(raw)
    assert caught.value.code == "format:certification data"


def test_a_document_keeps_its_pck_chain_over_writing_and_reading(world: Any) -> None:
    raw = issue_collateral(world.platform.vendor, EndorsementPlan(issued=world.now))
    parts = json.loads(raw)
    without = parse_collateral(raw)
    assert without.pck_certificate_chain is None
    null = parse_collateral(json.dumps({**parts, "pck_certificate_chain": None}).encode())
    assert null == without
    with_chain = parse_collateral(
        json.dumps({**parts, "pck_certificate_chain": world.platform.pck_chain.decode()}).encode()
    )
    assert with_chain.pck_certificate_chain == world.platform.pck_chain
    assert with_chain.digest != without.digest
    again = {name: getattr(with_chain, name) for name in (*parts, "pck_certificate_chain")}
    assert parse_collateral(encode_collateral(again)) == with_chain


def parse_serial(pem: bytes) -> int:
    return x509.load_pem_x509_certificate(pem).serial_number


def replace_versions(platform: Any, number: int) -> Any:
    identity = replace(platform.identity, cpu_svn=number.to_bytes(16, "big"))
    return replace(platform, identity=identity)
