"""Coordinator processes whose state is lost, put back or sealed by devices; operators at a command line."""

import base64
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import coordinator_process as world
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

KEYS = {name: rsa.generate_private_key(65537, 2048) for name in ("ra", "rb")}
STRICT = {"SEALMESH_COMPAT": "insecure-empty-quotes"}


def manifest(*owners, **config):
    def pem(key):
        return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    return {
        "Packages": {"oven": {"SignerID": "c0" * 32, "ProductID": 7, "SecurityVersion": 3}},
        "Marbles": {"baker": {"Package": "oven", "MaxActivations": 9}},
        "RecoveryKeys": {name: pem(KEYS[name]) for name in owners},
        "Config": config,
    }


@pytest.fixture
def processes(tmp_path):
    started = []

    def make(**environment):
        started.append(world.CoordinatorProcess(tmp_path, **STRICT, **environment))
        return started[-1]

    yield make
    for one in started:
        one.kill()


@pytest.fixture
def shares(tmp_path):
    """Write what a Coordinator handed out, and the owners' keys, as files."""

    def write(answer):
        _, body = answer
        for name, secret in body["data"]["RecoverySecrets"].items():
            (tmp_path / f"{name}.bin").write_bytes(base64.b64decode(secret))
            (tmp_path / f"{name}.pem").write_bytes(
                KEYS[name].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            )
        return tmp_path

    return write


def sealmesh(process, *arguments):
    command = [sys.executable, "-m", "sealmesh.cli", *map(str, arguments), "--insecure", "--json"]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=100, check=False, env=process.environment
    )


def address(process):
    return f"127.0.0.1:{process.client}"


def why(process):
    return process.get("/api/sealmesh/v1/status")["data"]["recovery"]["reason"]


def test_an_old_copy_of_the_state_waits_for_its_owner_who_recovers_it_and_is_told(
    processes, shares, tmp_path
):
    (tmp_path / "share").mkdir()
    process = processes(SEALMESH_ANCHOR=f"file:{tmp_path}/share/anchor").start()
    files = shares(process.set_manifest(manifest("ra")))
    process.kill()
    shutil.copytree(process.seal, tmp_path / "copy")
    process.start().activate("baker")
    process.kill()
    shutil.rmtree(process.seal)
    shutil.copytree(tmp_path / "copy", process.seal)
    process.start()
    assert process.state() == 1
    assert "the state has epoch 1; the anchor" in why(process)
    assert "has epoch 2" in why(process)
    assert "epoch 1" in json.loads(sealmesh(process, "status", address(process)).stdout)["recovery"]["reason"]
    done = sealmesh(process, "recover", files / "ra.bin", address(process), "-k", files / "ra.pem")
    assert done.returncode == 0, done.stderr
    assert "An older copy of the state was put back" in json.loads(done.stdout)["message"]
    assert process.state() == 3
    process.activate("baker")
    process.kill()
    assert process.start().state() == 3


def test_workers_share_one_anchor(processes, tmp_path):
    process = processes(SEALMESH_ANCHOR=f"file:{tmp_path}/anchor", SEALMESH_WORKERS="2").start()
    process.set_manifest(manifest("ra") | {"Marbles": {"baker": {"Package": "oven", "MaxActivations": 24}}})
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: process.activate("baker"), range(24)))
    with pytest.raises(world.GrpcRefused):
        process.activate("baker")
    process.kill()
    assert process.start().state() == 3
    with pytest.raises(world.GrpcRefused):
        process.activate("baker")


def test_an_anchor_that_is_not_mounted_ends_the_start(processes, tmp_path):
    process = processes(SEALMESH_ANCHOR=f"file:{tmp_path}/share/anchor")
    (tmp_path / "share").mkdir()
    process.start().set_manifest(manifest("ra"))
    process.kill()
    (tmp_path / "share").rename(tmp_path / "gone")
    assert process.exit_code() == 2
    assert "The directory of the anchor's file is not there" in process.log


def test_a_drill_at_the_command_line(processes, shares):
    process = processes().start()
    files = shares(process.set_manifest(manifest("ra", "rb")))
    drill = ("recover", files / "ra.bin", address(process), "-k", files / "ra.pem", "--drill")
    both = sealmesh(process, *drill, "--with", f"{files / 'rb.bin'}={files / 'rb.pem'}")
    assert both.returncode == 0, both.stderr
    found = json.loads(both.stdout)
    assert (found["passed"], found["opens"], found["threshold"]) == (True, True, 2)
    one = sealmesh(process, *drill)
    assert one.returncode == 0, one.stderr
    assert not json.loads(one.stdout)["opens"]
    wrong = sealmesh(process, *drill, "--with", f"{files / 'ra.bin'}={files / 'ra.pem'}")
    assert wrong.returncode != 0
    (files / "rb.bin").write_bytes(bytes(32))
    foreign = sealmesh(process, *drill, "--with", f"{files / 'rb.bin'}={files / 'rb.pem'}")
    assert foreign.returncode != 0
    assert "not one of this state's" in foreign.stderr
    assert process.state() == 3


def test_a_drill_that_makes_no_sense_is_refused(processes):
    process = processes().start()
    path = "/api/sealmesh/v1/recover/drill"
    assert process.request("POST", path, {"shares": {}})[0] == 412
    process.set_manifest(manifest("ra"))
    for body in (
        b"",
        b"[]",
        b"{",
        {"shares": 5},
        {"shares": {"a": 5}},
        {"shares": {"a": {"recoverySecret": "@"}}},
    ):
        assert process.request("POST", path, body)[0] == 400
    status, answer = process.request("POST", path, {"shares": {"a": {}, "b": {"recoverySecret": ""}}})
    assert status == 200
    assert "wrong length" in answer["data"]["shares"]["a"]["problem"]
    assert not answer["data"]["passed"]
    assert process.request("GET", path)[0] == 405
    assert process.state() == 3


def test_a_new_manifest_in_recovery_needs_the_operator_s_word(processes):
    process = processes().start()
    process.set_manifest(manifest("ra"))
    process.kill()
    (process.seal / "sealed_key").unlink()
    process.start()
    status, body = process.set_manifest(manifest("rb"))
    assert status == 500
    assert "waits for recovery" in body["message"]
    assert process.state() == 1
    process.kill()
    process.environment["SEALMESH_RESET_STATE"] = "1"
    assert process.start().set_manifest(manifest("rb"))[0] == 200
    assert process.state() == 3


def test_a_state_sealed_and_anchored_by_a_tpm(processes, tpm):
    process = processes(
        SEALMESH_SEALER=f"tpm:{tpm.tcti}?pcrs=sha256:16", SEALMESH_ANCHOR=f"tpm:{tpm.tcti}?index=0x01500010"
    ).start()
    status, body = process.set_manifest(manifest("ra", SealMode="ProductKey"))
    assert status == 500
    assert '"SealMode": "UniqueKey"' in body["message"]
    assert process.state() == 2
    assert not process.seal.exists()
    assert process.set_manifest(manifest("ra", SealMode="UniqueKey"))[0] == 200
    process.activate("baker")
    process.kill()
    assert process.start().state() == 3
    process.activate("baker")
    process.kill()
    tpm.extend(16)
    process.start()
    assert process.state() == 1
    assert "policy check failed" in why(process)


def test_a_state_sealed_by_a_token_is_opened_by_every_worker(processes, hsm):
    library, pin = hsm
    import os

    process = processes(
        SOFTHSM2_CONF=os.environ["SOFTHSM2_CONF"],
        SEALMESH_SEALER=f"pkcs11:token=mesh;object=coordinator?module-path={library}&pin-source=file:{pin}",
        SEALMESH_WORKERS="2",
    ).start()
    assert process.set_manifest(manifest("ra"))[0] == 200
    process.kill()
    process.start()
    for _ in range(8):
        assert process.state() == 3
    process.kill()
    process.environment["SEALMESH_SEALER"] = process.environment["SEALMESH_SEALER"].replace(
        "object=coordinator", "object=another"
    )
    assert process.start().state() == 1
