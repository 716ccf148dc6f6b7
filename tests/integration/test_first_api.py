"""Client and command line with a Coordinator that has MarbleRun's API v1 alone."""

import json
import sys
from pathlib import Path

import operator_world as world_module
import pytest

from sealmesh.adapters.attester.platform import open_or_create
from sealmesh.cli import main
from sealmesh.client import (
    AsyncCoordinatorApi,
    SecretUpload,
    parse_address,
    pinned_context,
    read_policy,
    read_user,
    verify,
    verify_coordinator,
    verify_coordinator_async,
)
from sealmesh.errors.attestation import AppraisalError
from sealmesh.errors.client import AnswerError, NothingThere, NotServed, Refused, Unauthenticated

PROGRAM = [sys.executable, str(Path(__file__).with_name("first_api_coordinator.py"))]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Tests of this file build on each other's state, in their order."""
    found = world_module.OperatorWorld(tmp_path_factory.mktemp("first-api"), PROGRAM)
    found.start()
    yield found
    found.kill()


@pytest.fixture(scope="module")
def verified(world):
    """The verified Coordinator; v1 gives no collateral, so it comes from its platform."""
    collateral = open_or_create(world.folder / "platform").collateral()
    (world.folder / "collateral.json").write_bytes(collateral)
    policy = read_policy(world.folder / "policy.json")
    return verify_coordinator(world.address, policy=policy, endorsements=collateral)


@pytest.fixture
def as_user(world, verified):
    opened = []

    def connect(name: str | None = None):
        user = name and read_user(world.folder / f"{name}.crt", world.folder / f"{name}.key")
        api = verified.connect(user or None)
        opened.append(api)
        return api

    yield connect
    for api in opened:
        api.close()


@pytest.fixture(scope="module")
def raw(world):
    return json.dumps(world.manifest()).encode()


def test_its_evidence_is_verified_and_called_not_fresh(verified):
    assert not verified.fresh
    assert verified.evidence.root.simulated


def test_who_demands_a_nonce_gets_none_of_its_evidence(world, verified):
    policy, collateral = (
        read_policy(world.folder / "policy.json"),
        (world.folder / "collateral.json").read_bytes(),
    )
    with pytest.raises(AnswerError) as refused:
        verify_coordinator(world.address, policy=policy, endorsements=collateral, nonce=b"mine")
    assert refused.value.code == "coordinator-nonce"


def test_without_a_manifest_it_says_so_as_on_v2(as_user):
    api = as_user()
    assert api.status().code == 2
    with pytest.raises(Refused, match="no manifest"):
        api.manifest()


def test_a_user_is_unknown_before_a_manifest(as_user):
    with pytest.raises(Unauthenticated):
        as_user("ada").secrets("pin")


def test_the_manifest_is_set_and_read(as_user, raw):
    api = as_user()
    assert set(api.set_manifest(raw)) == {"olga", "omar"}
    found = api.manifest()
    assert (found.raw, len(found.fingerprint), bool(found.signature)) == (raw, 64, True)
    assert api.status().code == 3
    with pytest.raises(Refused):
        api.set_manifest(raw)
    assert api.manifest().raw == raw


def test_secrets_are_written_and_read_by_who_may(as_user):
    ada = as_user("ada")
    ada.write_secrets({"recipe": SecretUpload(key=b"flour")})
    assert ada.secrets("recipe")["recipe"].private == b"flour"
    with pytest.raises(Refused):
        as_user("eve").secrets("recipe")
    with pytest.raises(Refused):
        as_user("eve").write_secrets({"recipe": SecretUpload(key=b"sand")})
    assert ada.secrets("recipe")["recipe"].private == b"flour"


def test_a_package_update_is_applied_and_logged(as_user):
    ada = as_user("ada")
    assert ada.update(b'{"Packages": {"oven": {"SecurityVersion": 4}}}').applied
    lines = [json.loads(line) for line in ada.update_log()]
    assert [line["new version"] for line in lines if "new version" in line] == [4]


def test_a_manifest_update_waits_for_the_others_and_is_acknowledged_or_dropped(world, as_user):
    ada, bob = as_user("ada"), as_user("bob")
    new = json.dumps(
        world.manifest(Marbles={"baker": {"Package": "oven"}, "miller": {"Package": "oven"}})
    ).encode()
    waits = ada.update(new)
    assert (waits.applied, waits.missing_users) == (False, ("bob",))
    assert (ada.pending_update().raw, ada.pending_update().missing_users) == (new, ("bob",))
    bob.cancel_update()
    for nothing in (ada.pending_update, bob.cancel_update):
        with pytest.raises(AnswerError):
            nothing()
    ada.update(new)
    assert bob.acknowledge(new).applied
    assert ada.manifest().raw == new
    with pytest.raises(NothingThere):
        ada.pending_update()


def test_what_only_v2_has_is_told_as_such(as_user):
    api = as_user("ada")
    for act in (
        lambda: api.recover(bytes(16)),
        api.recovery_key,
        lambda: api.sign_quote(b"q"),
        api.governance,
    ):
        with pytest.raises(NotServed):
            act()
    assert api.status().code == 3


def test_it_makes_no_statement(world):
    with pytest.raises(NotServed):
        verify(world.address, policy=read_policy(world.folder / "policy.json"))


async def test_the_same_awaiting(world, verified):
    policy, collateral = (
        read_policy(world.folder / "policy.json"),
        (world.folder / "collateral.json").read_bytes(),
    )
    again = await verify_coordinator_async(world.address, policy=policy, endorsements=collateral)
    assert again.root == verified.root
    user = read_user(world.folder / "ada.crt", world.folder / "ada.key")
    async with AsyncCoordinatorApi(parse_address(world.address), pinned_context(verified.root), user) as api:
        assert (await api.status()).code == 3
        await api.write_secrets({"recipe": SecretUpload(key=b"rye")})
        assert (await api.secrets("recipe"))["recipe"].private == b"rye"
        before = (await api.manifest()).raw
        assert not (await api.update(before.replace(b"miller", b"butler"))).applied
        await api.cancel_update()
        assert (await api.manifest()).raw == before
        assert len(await api.update_log()) > 0


def test_another_program_is_refused_here_too(world, verified):
    document = json.loads((world.folder / "policy.json").read_bytes())
    document["Coordinator"]["SignerID"] = "00" * 32
    world.write("other.json", document)
    other = read_policy(world.folder / "other.json")
    with pytest.raises(AppraisalError):
        verify_coordinator(
            world.address, policy=other, endorsements=(world.folder / "collateral.json").read_bytes()
        )


def test_the_command_line_says_that_the_evidence_may_be_older(world, verified, capsys, monkeypatch):
    monkeypatch.chdir(world.folder)
    trust = ("--policy", "policy.json", "--endorsements", "collateral.json")
    assert main(["status", world.address, *trust]) == 0
    told = capsys.readouterr()
    assert "3: " in told.out
    assert "binds no nonce" in told.err
    assert main(["manifest", "log", world.address, *trust]) == 0
    assert main(["secret", "get", "recipe", world.address, *trust, "-c", "ada.crt", "-k", "ada.key"]) == 0
    assert '"recipe"' in capsys.readouterr().out
