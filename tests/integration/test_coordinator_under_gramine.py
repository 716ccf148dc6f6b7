"""A Coordinator under an emulated Gramine: quotes, replayed quotes, the enclave's seal keys."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import marble_mesh as world
import pytest

from sealmesh.attestation.simulated import (
    EndorsementPlan,
    SimulatedEnclave,
    create_platform,
    create_vendor,
    issue_collateral,
)
from sealmesh.client import parse_policy, verify, verify_coordinator
from sealmesh.errors.attestation import AppraisalError, VerificationError

NOW = datetime.now(UTC).replace(microsecond=0)
ENCLAVE = SimulatedEnclave(
    unique_id=b"\x01" * 32, signer_id=b"\x02" * 32, product_id=1, security_version=1, debug=False
)


class Gramine:
    """`/dev/attestation` of one enclave: `quote` is a pipe, so each reader gets one made for it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.replayed: bytes | None = None
        vendor = create_vendor(now=NOW, entropy=os.urandom)
        self.platform = create_platform(vendor, now=NOW, entropy=os.urandom)
        (directory / "keys").mkdir(parents=True)
        for name in ("_sgx_mrenclave", "_sgx_mrsigner"):
            (directory / "keys" / name).write_bytes(os.urandom(16))
        (directory / "attestation_type").write_text("dcap")
        (directory / "user_report_data").write_bytes(bytes(64))
        plan = EndorsementPlan(issued=NOW - timedelta(hours=1))
        (directory / "collateral.json").write_bytes(issue_collateral(vendor, plan))
        os.mkfifo(directory / "quote")
        self._ended = False
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def quote(self) -> bytes:
        asked = (self.directory / "user_report_data").read_bytes()
        return self.replayed or self.platform.quote(ENCLAVE, asked)

    def stop(self) -> None:
        self._ended = True
        (self.directory / "quote").read_bytes()
        self._thread.join()

    def _serve(self) -> None:
        while not self._ended:
            with suppress(BrokenPipeError), (self.directory / "quote").open("wb") as reader:
                os.mkfifo(self.directory / "next")  # the next reader must not share this one's pipe
                (self.directory / "next").replace(self.directory / "quote")
                reader.write(self.quote())


@pytest.fixture(scope="module")
def gramine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gramine]:
    emulated = Gramine(tmp_path_factory.mktemp("gramine") / "attestation")
    yield emulated
    emulated.stop()


@pytest.fixture(scope="module")
def mesh(gramine: Gramine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    mesh = world.Mesh(tmp_path_factory.mktemp("coordinator"), f"gramine:{gramine.directory}")
    root = gramine.platform.vendor.trust_root
    mesh.policy["TrustRoots"] = [{"Name": "lab", "SHA256": root.sha256.hex()}]
    (mesh.folder / "policy.json").write_text(json.dumps(mesh.policy))
    start(mesh, gramine)
    try:
        yield mesh
    finally:
        mesh.kill()


def start(mesh: Any, gramine: Gramine) -> None:
    mesh.start(SEALMESH_COLLATERAL=str(gramine.directory / "collateral.json"))


def policy(mesh: Any, **changes: Any) -> Any:
    return parse_policy(json.dumps({**mesh.policy, **changes}).encode())


def address(mesh: Any) -> str:
    return f"127.0.0.1:{mesh.client_port}"


def manifest(mesh: Any) -> dict[str, Any]:
    package = {"UniqueID": "ab" * 32}
    return {"Packages": {"shop": package}, "Marbles": {"shop": {"Package": "shop"}}}


def test_a_replayed_quote_is_refused_and_nothing_is_sent(mesh: Any, gramine: Gramine) -> None:
    gramine.replayed = gramine.platform.quote(ENCLAVE, b"\x07" * 64)
    try:
        with pytest.raises(AppraisalError, match="ReportData"):
            verify_coordinator(address(mesh), policy=policy(mesh))
        with pytest.raises(AssertionError, match="ReportData"):
            mesh.set_manifest(manifest(mesh))
        assert mesh.phase() == 2
        assert not list((mesh.folder / "state").glob("*"))
    finally:
        gramine.replayed = None


def test_it_is_verified_with_the_collateral_that_its_operator_gave_it(mesh: Any, gramine: Gramine) -> None:
    found = verify_coordinator(address(mesh), policy=policy(mesh))
    assert (found.evidence.root.name, found.evidence.claims.mr_enclave) == ("lab", ENCLAVE.unique_id)
    with pytest.raises(VerificationError) as caught:
        verify_coordinator(address(mesh), policy=policy(mesh, TrustRoots=["intel"]))
    assert caught.value.code == "crl sig:root"


def test_its_state_is_kept_by_the_enclave_s_key_and_by_no_other(mesh: Any, gramine: Gramine) -> None:
    mesh.set_manifest(manifest(mesh))
    domain = verify(address(mesh), policy=policy(mesh)).trust_domain
    mesh.kill()
    assert '"sealer": "Gramine' in mesh.log
    start(mesh, gramine)
    assert verify(address(mesh), policy=policy(mesh)).trust_domain == domain
    mesh.kill()
    (gramine.directory / "keys" / "_sgx_mrsigner").write_bytes(os.urandom(16))
    start(mesh, gramine)
    assert mesh.phase() == 1
