"""What operators do with the command line, against a real Coordinator: secrets, updates, recovery."""

import base64
import json
import stat
from collections.abc import Callable, Iterator

import operator_world as world_module
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sealmesh.cli import main
from sealmesh.client import (
    AsyncCoordinatorApi,
    SecretUpload,
    parse_address,
    pinned_context,
    read_policy,
    read_user,
    verify_coordinator,
    verify_coordinator_async,
)
from sealmesh.client.verifying import quote_report_data
from sealmesh.errors.client import NothingThere, PeerError, Refused, Unauthenticated

ADA = ("--cert", "ada.crt", "--key", "ada.key")
BOB = ("-c", "bob.crt", "-k", "bob.key")
EVE = ("--cert", "eve.crt", "--key", "eve.key")
POLICY = ("--policy", "policy.json")

pytestmark = pytest.mark.xdist_group("cli_operator")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    found = world_module.OperatorWorld(tmp_path_factory.mktemp("operator"))
    found.start()
    try:
        yield found
    finally:
        found.kill()


@pytest.fixture
def cli(world, capsys, monkeypatch) -> Callable[..., tuple[int, str, str]]:
    """Run a command in the folder; give exit code, stdout, stderr. `@` stands for the address."""
    monkeypatch.chdir(world.folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(world.folder / "config"))

    def run(*words: str) -> tuple[int, str, str]:
        code = main([world.address if word == "@" else word for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def good(cli) -> Callable[..., str]:
    """Run a command that must succeed; give stdout."""

    def run(*words: str) -> str:
        code, out, err = cli(*words)
        assert code == 0, out + err
        return out

    return run


@pytest.fixture
def refused(cli) -> Callable[..., str]:
    """Run a command that must be refused with nothing on stdout; give stderr."""

    def run(*words: str) -> str:
        code, out, err = cli(*words)
        assert (code, out) == (1, ""), out + err
        assert err.startswith(("error [", "warning: "))
        return err

    return run


class TestTrust:
    def test_the_quote_that_was_verified_is_kept_and_binds_the_users_nonce(self, world, good) -> None:
        good("status", "@", *POLICY, "--nonce", "monday", "--save-sgx-quote", "quote.bin")
        raw = (world.folder / "quote.bin").read_bytes()
        coordinator = verify_coordinator(
            world.address, policy=read_policy(world.folder / "policy.json"), nonce=b"monday"
        )
        wanted = quote_report_data(coordinator.root, b"monday")
        assert wanted in raw

    def test_collateral_that_does_not_hold_is_refused_though_the_coordinators_own_would(
        self, world, refused
    ) -> None:
        world.write("collateral.json", "{}")
        assert "error [" in refused("status", "@", *POLICY, "--endorsements", "collateral.json")

    def test_another_coordinator_than_the_policys_is_refused(self, world, refused) -> None:
        policy = json.loads((world.folder / "policy.json").read_bytes())
        policy["Coordinator"]["SecurityVersion"] += 1
        world.write("newer.json", policy)
        for command in (("status", "@"), ("manifest", "log", "@"), ("certificate", "root", "@")):
            assert "SecurityVersion" in refused(*command, "--policy", "newer.json")
        assert not (world.folder / "marblerunRootCA.crt").exists()


class TestSecrets:
    def test_before_the_coordinator_is_known_no_secret_leaves(self, world, refused) -> None:
        world.write("secrets.json", {"pin": {"Key": base64.b64encode(b"p" * 16).decode()}})
        for trust in ((), ("--insecure",)):
            error = refused("secret", "set", "secrets.json", "@", *ADA, *trust)
            assert "error [trust-missing]" in error

    def test_the_manifest_is_set_with_recovery_data_for_its_owner_alone(self, world, good) -> None:
        world.write("manifest.json", world.manifest())
        out = good("manifest", "set", "manifest.json", "@", *POLICY, "--recoverydata", "recovery.json")
        assert "Recovery data is in recovery.json" in out
        assert stat.S_IMODE((world.folder / "recovery.json").stat().st_mode) == 0o600
        assert set(world.shares("recovery.json")) == {"olga", "omar"}

    def test_a_user_sets_secrets(self, world, good) -> None:
        values = {"pin": {"Key": base64.b64encode(b"p" * 16).decode()}, "recipe": {"key": "cnll"}}
        world.write("secrets.json", values)
        assert good("secret", "set", "secrets.json", "@", *ADA) == "Set: pin, recipe\n"

    @pytest.mark.parametrize("traditional", [False, True], ids=["PKCS#8", "PKCS#1"])
    def test_a_certificate_is_set_from_pem(self, world, good, traditional: bool) -> None:
        key = world.users["ada"]
        form = PrivateFormat.TraditionalOpenSSL if traditional else PrivateFormat.PKCS8
        pem = (world.folder / "ada.crt").read_bytes() + key.private_bytes(Encoding.PEM, form, NoEncryption())
        world.write("shop.pem", pem)
        good("secret", "set", "shop.pem", "@", "--from-pem", "shop", *ADA)
        found = json.loads(good("secret", "get", "shop", "@", *ADA))["shop"]
        pkcs8 = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        assert base64.b64decode(found["Private"]) == pkcs8

    def test_secrets_are_printed_as_json_and_nothing_else(self, good) -> None:
        for trust in ((), POLICY):
            found = json.loads(good("secret", "get", "pin", "recipe", "@", *ADA, *trust))
            assert base64.b64decode(found["recipe"]["Public"]) == b"rye"
            assert set(found) == {"pin", "recipe"}

    def test_secrets_in_a_file_are_for_their_reader_alone(self, world, good) -> None:
        good("secret", "get", "pin", "@", *ADA, "-o", "pin.json")
        path = world.folder / "pin.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert base64.b64decode(json.loads(path.read_bytes())["pin"]["Private"]) == b"p" * 16

    @pytest.mark.parametrize(
        ("words", "code"),
        [
            (("secret", "get", "pin", "@", *EVE), "permission-refused"),
            (("secret", "get", "nothing", "@", *ADA), "unknown-secret"),
            (("secret", "get", "@", *ADA), "usage"),
            (("secret", "get", "pin", "@"), "usage"),
            (("secret", "get", "pin", "@", "--cert", "ada.crt"), "usage"),
            (("secret", "get", "pin", "@", "--cert", "ada.crt", "--key", "bob.key"), "user-certificate"),
            (("secret", "get", "pin", "@", "--cert", "ada.crt", "--key", "gone.key"), "user-certificate"),
            (("secret", "get", "pin", "@", "--cert", "ada.key", "--key", "ada.key"), "user-certificate"),
            (
                ("secret", "get", "pin", "@", "--cert", "olga.crt", "--key", "olga.key"),
                "user-unauthenticated",
            ),
            (("secret", "set", "gone.json", "@", *ADA), "file"),
            (("secret", "set", "policy.json", "@", *ADA), "secret-file"),
            (("secret", "set", "empty.json", "@", *ADA), "secret-file"),
            (("secret", "set", "short.json", "@", *ADA), "upload-key-length"),
            (("secret", "set", "secrets.json", "@", *EVE), "permission-refused"),
            (("secret", "set", "public.pem", "@", "--from-pem", "shop", *ADA), "secret-file"),
            (("secret", "set", "ada.key", "@", "--from-pem", "shop", *ADA), "secret-file"),
            (("secret", "set", "policy.json", "@", "--from-pem", "shop", *ADA), "secret-file"),
        ],
    )
    def test_what_cannot_be_is_refused_and_changes_nothing(self, world, good, cli, words, code) -> None:
        olga = world_module.certificate("olga", world.owners["olga"])
        world.write("olga.crt", world_module.pem_certificate(olga))
        world.write("empty.json", "{}")
        world.write("short.json", {"pin": {"Key": "AAAA"}})
        world.write("public.pem", world_module.pem_public(world.owners["olga"]))
        before = good("secret", "get", "pin", "recipe", "shop", "@", *ADA)
        exit_code, out, err = cli(*words)
        assert (exit_code, out) == (1, "")
        assert err.startswith(f"error [{code}]")
        assert "  remedy: " in err
        assert good("secret", "get", "pin", "recipe", "shop", "@", *ADA) == before

    def test_a_coordinator_with_another_root_gets_no_secret(self, world, refused) -> None:
        strange = world_module.certificate("strange", world.owners["olga"])
        world.write("strange.pem", world_module.pem_certificate(strange))
        error = refused("secret", "set", "secrets.json", "@", *ADA, "--coordinator-cert", "strange.pem")
        assert "error [peer]" in error


class TestUpdates:
    def test_without_a_proposal_there_is_nothing_to_get_or_cancel(self, refused) -> None:
        assert "error [nothing-pending]" in refused("manifest", "update", "get", "@")
        assert "error [nothing-pending]" in refused("manifest", "update", "cancel", "@", *ADA)
        assert "error [nothing-pending]" in refused(
            "manifest", "update", "acknowledge", "manifest.json", "@", *ADA
        )

    def test_a_package_update_shows_in_the_manifest_as_in_force(self, world, good) -> None:
        world.write("svn.json", {"Packages": {"oven": {"SecurityVersion": 5}}})
        assert "in force" in good("manifest", "update", "apply", "svn.json", "@", *ADA)
        raw = good("manifest", "get", "@", *POLICY)
        assert json.loads(raw)["Packages"]["oven"]["SecurityVersion"] == 3
        shown = json.loads(good("manifest", "get", "@", *POLICY, "-u"))
        assert shown["Packages"]["oven"]["SecurityVersion"] == 5
        assert shown["Marbles"]["baker"]["MaxActivations"] == 0
        signed = json.loads(good("manifest", "get", "@", *POLICY, "-u", "-s"))
        assert signed["Manifest"] == shown
        assert signed["ManifestSignature"] == good("manifest", "signature", "manifest.json").strip()

    def test_who_may_not_update_is_refused(self, world, refused, good) -> None:
        world.write("next.json", world.manifest(Marbles={"baker": {"Package": "oven", "MaxActivations": 2}}))
        before = good("manifest", "log", "@")
        assert "error [permission-refused]" in refused("manifest", "update", "apply", "svn.json", "@", *BOB)
        assert "error [permission-refused]" in refused("manifest", "update", "apply", "next.json", "@", *EVE)
        assert "error [usage]" in refused("manifest", "update", "apply", "next.json", "@")
        assert good("manifest", "log", "@") == before

    def test_a_proposal_waits_for_the_others_and_is_cancelled(self, world, good, refused) -> None:
        out = good("manifest", "update", "apply", "next.json", "@", *ADA)
        assert "waits for 1 more acknowledgments, of: bob" in out
        assert good("manifest", "update", "get", "@", "--missing") == "bob\n"
        assert good("manifest", "update", "get", "@", "-o", "pending.json") == ""
        assert (world.folder / "pending.json").read_bytes() == (world.folder / "next.json").read_bytes()
        other = refused("manifest", "update", "acknowledge", "manifest.json", "@", *BOB)
        assert "error [update-differs]" in other
        assert "dropped" in good("manifest", "update", "cancel", "@", *BOB)
        assert "error [nothing-pending]" in refused("manifest", "update", "get", "@")

    def test_the_last_acknowledgment_applies_it_and_brings_new_recovery_data(self, world, good) -> None:
        keys = {"olga": world_module.pem_public(world.owners["olga"])}
        world.write("next.json", world.manifest(RecoveryKeys=keys))
        good("manifest", "update", "apply", "next.json", "@", *ADA)
        answer = good(
            *("manifest", "update", "acknowledge", "next.json", "@", *BOB),
            *("--json", "-r", "recovery2.json"),
        )
        found = json.loads(answer)
        assert found["applied"] is True
        assert set(world.shares("recovery2.json")) == {"olga"}
        good("manifest", "verify", "next.json", "@")


class TestClient:
    """The same over the Python API."""

    @pytest.fixture
    def coordinator(self, world):
        return verify_coordinator(world.address, policy=read_policy(world.folder / "policy.json"))

    def test_a_verified_connection_writes_and_reads_secrets(self, world, coordinator) -> None:
        ada = read_user(world.folder / "ada.crt", world.folder / "ada.key")
        with coordinator.connect(ada) as api:
            api.write_secrets({"recipe": SecretUpload(key=b"spelt")})
            found = api.secrets("recipe")["recipe"]
            assert (found.private, found.type, found.user_defined) == (b"spelt", "plain", True)
            assert api.status().code == 3
            assert b"spelt" not in repr(found).encode()

    async def test_an_awaiting_connection_does_the_same(self, world) -> None:
        policy = read_policy(world.folder / "policy.json")
        coordinator = await verify_coordinator_async(world.address, policy=policy)
        ada = read_user(world.folder / "ada.crt", world.folder / "ada.key")
        async with coordinator.connect_async(ada) as api:
            await api.write_secrets({"recipe": SecretUpload(key=b"oats")})
            assert (await api.secrets("recipe"))["recipe"].private == b"oats"
            assert (await api.status()).code == 3
            with pytest.raises(NothingThere):
                await api.pending_update()

    async def test_an_awaiting_connection_to_another_root_is_refused(self, world) -> None:
        strange = world_module.certificate("strange", world.owners["olga"])
        async with AsyncCoordinatorApi(parse_address(world.address), pinned_context(strange)) as api:
            with pytest.raises(PeerError):
                await api.status()

    def test_refusals_have_types(self, world, coordinator) -> None:
        with coordinator.connect() as api, pytest.raises(Unauthenticated):
            api.secrets("recipe")
        eve = read_user(world.folder / "eve.crt", world.folder / "eve.key")
        with coordinator.connect(eve) as api, pytest.raises(Refused):
            api.secrets("recipe")


class TestRecovery:
    def test_a_coordinator_that_runs_takes_no_recovery_secret(self, world, cli, good) -> None:
        share = world.shares("recovery2.json")["olga"]
        world.write("share", share)
        code, _, err = cli("recover", "share", "@", "-k", "olga.key", *POLICY)
        assert code == 1
        assert "error [wrong-phase]" in err
        assert json.loads(good("status", "@", "--json", *POLICY))["code"] == 3

    def test_what_is_no_recovery_is_refused_and_it_waits_on(self, world, cli, good) -> None:
        world.lose_key()
        world.write(
            "plain", world_module.open_secret(world.owners["olga"], world.shares("recovery2.json")["olga"])
        )
        for words, code in (
            (("recover", "share", "@", "-k", "omar.key", *POLICY), "recovery-share-encryption"),
            (("recover", "share", "@", *POLICY), "recovery-share"),
            (("recover", "share", "@", "-k", "policy.json", *POLICY), "recovery-key"),
            (("recover", "share", "@", "-k", "gone.key", *POLICY), "recovery-key"),
            (("recover", "gone", "@", "-k", "olga.key", *POLICY), "file"),
            (("recover", "plain", "@", "-k", "omar.key", *POLICY), "recovery-signature"),
            (("recover", "plain", "@", "-k", "olga.key", "--insecure", *POLICY), "usage"),
            (("recover-with-signature", "sign-secret", "plain"), "usage"),
            (("recover-with-signature", "encrypt-secret", "plain"), "usage"),
            (
                ("recover-with-signature", "encrypt-secret", "plain", "--coordinator-pub-key", "ada.key"),
                "recovery-key",
            ),
        ):
            exit_code, _, err = cli(*words)
            assert exit_code == 1, words
            assert f"error [{code}" in err, words
        assert json.loads(good("status", "@", "--json", *POLICY))["code"] == 1

    def test_the_kept_chain_is_not_that_of_a_coordinator_in_recovery(self, cli) -> None:
        code, _, err = cli("status", "@")
        assert code == 1
        assert "error [peer]" in err

    def test_an_owners_key_recovers_without_ever_meeting_the_network(self, world, good) -> None:
        offline = ("recover-with-signature",)
        out = good(*offline, "public-key", "@", *POLICY)
        assert out.startswith("-----BEGIN PUBLIC KEY-----")
        good(*offline, "public-key", "@", *POLICY, "-o", "coordinator.pem")
        encrypt = ("encrypt-secret", "share", "--coordinator-pub-key", "coordinator.pem", "-k", "olga.key")
        assert good(*offline, *encrypt, "-o", "share.enc") == ""
        assert good(*offline, "sign-secret", "share", "--key", "olga.key", "-o", "share.sig") == ""
        found = json.loads(good(*offline, "share.enc", "@", "-s", "share.sig", "--json", *POLICY))
        assert found["remaining"] == 0
        assert json.loads(good("status", "@", "--json", *POLICY))["code"] == 3

    def test_recover_opens_signs_and_gives_in_one_go(self, world, good) -> None:
        world.lose_key()
        out = good("recover", "share", "@", "--key", "olga.key", *POLICY)
        assert "has its state back" in out
        good("manifest", "verify", "next.json", "@", *POLICY)
        found = json.loads(good("secret", "get", "recipe", "@", *ADA))
        assert base64.b64decode(found["recipe"]["Private"]) == b"oats"

    def test_a_connection_pinned_before_meets_another_root_and_stops(self, world) -> None:
        policy = read_policy(world.folder / "policy.json")
        verified = verify_coordinator(world.address, policy=policy)
        world.lose_key()
        with verified.connect() as api, pytest.raises(PeerError):
            api.status()
