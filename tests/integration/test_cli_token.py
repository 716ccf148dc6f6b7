"""Users and owners of recovery keys whose keys are in a PKCS#11 token: a real SoftHSM2."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator

import operator_world as operator
import pytest
import softhsm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

pytestmark = [
    pytest.mark.skipif(softhsm.library() is None, reason=softhsm.ABSENT),
    pytest.mark.xdist_group("cli_token"),
]
ADA = ("--pkcs11-config", "token.json", "--pkcs11-key-label", "ada")
CURVES = {"ed": ec.SECP256R1(), "eli": ec.SECP384R1()}


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory):
    return softhsm.SoftToken(tmp_path_factory.mktemp("token"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, token) -> Iterator:
    """A Coordinator whose users' and owners' keys are in the token; `token.json` says how to open it."""
    found = operator.OperatorWorld(tmp_path_factory.mktemp("hsm"))
    found.users |= {name: ec.generate_private_key(curve) for name, curve in CURVES.items()}
    manifest = found.manifest()
    for name in CURVES:
        found.certificates[name] = operator.certificate(name, found.users[name])
        pem = operator.pem_certificate(found.certificates[name])
        manifest["Users"][name] = {"Certificate": pem, "Roles": ["keys"]}
    for number, name in enumerate(("ada", "bob", *CURVES), 1):
        token.add(name, found.users[name], f"0{number}")
        token.add_certificate(name, found.certificates[name], f"0{number}")
    token.add("olga", found.owners["olga"], "a1")
    token.add("texts", found.users["ada"], b"42".hex())
    token.add_certificate("texts", found.certificates["ada"], b"42".hex())
    found.write("token.json", token.configuration().read_bytes())
    found.write("manifest.json", manifest)
    found.start()
    try:
        yield found
    finally:
        found.kill()


@pytest.fixture(scope="module")
def cli(world, token) -> Callable[..., subprocess.CompletedProcess]:
    """Run a command in the folder, in a process that knows the token. `@` stands for the address."""

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess:
        command = [world.address if word == "@" else word for word in words]
        return subprocess.run(
            [sys.executable, "-m", "sealmesh.cli", *command],
            cwd=world.folder,
            env=token.environment | {"XDG_CONFIG_HOME": str(world.folder / "config")} | environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


@pytest.fixture(scope="module")
def good(cli) -> Callable[..., str]:
    def run(*words: str, **environment: str) -> str:
        done = cli(*words, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module", autouse=True)
def manifest_set(good) -> None:
    good("manifest", "set", "manifest.json", "@", "--policy", "policy.json", "-r", "recovery.json")


def test_a_user_whose_key_is_in_the_token_sets_and_reads_secrets(world, good) -> None:
    world.write("secrets.json", {"recipe": {"Key": base64.b64encode(b"rye").decode()}})
    assert good("secret", "set", "secrets.json", "@", *ADA) == "Set: recipe\n"
    found = json.loads(good("secret", "get", "recipe", "@", *ADA, "--policy", "policy.json"))
    assert base64.b64decode(found["recipe"]["Private"]) == b"rye"


@pytest.mark.parametrize(
    "place",
    [
        ("--pkcs11-key-id", "01"),
        ("--pkcs11-key-id", "42"),
        ("--pkcs11-key-id", "01", "--pkcs11-key-label", "ada", "--pkcs11-cert-label", "ada"),
        ("--pkcs11-key-label", "ada", "--cert", "ada.crt"),
        *(("--pkcs11-key-label", name) for name in CURVES),
    ],
    ids=" ".join,
)
def test_key_and_certificate_are_found_by_id_label_or_file(good, place) -> None:
    assert "recipe" in good("secret", "get", "recipe", "@", "--pkcs11-config", "token.json", *place)


def test_the_pin_may_be_in_the_environment(world, token, good) -> None:
    world.write("no-pin.json", token.configuration(Pin=None).read_bytes())
    words = ("--pkcs11-config", "no-pin.json", "--pkcs11-key-label", "ada")
    good("secret", "get", "recipe", "@", *words, SEALMESH_PKCS11_PIN=softhsm.PIN)


@pytest.mark.parametrize(
    ("changes", "place", "code"),
    [
        ({}, ("--pkcs11-key-label", "nobody"), "token"),
        ({}, (), "token"),
        ({}, ("--pkcs11-key-label", "olga"), "token"),
        ({}, ("--pkcs11-key-label", "bob", "--cert", "ada.crt"), "token"),
        ({}, ("--pkcs11-key-label", "ada", "--key", "ada.key"), "usage"),
        ({"Pin": "0000"}, ("--pkcs11-key-label", "ada"), "token-pin"),
        ({"TokenLabel": "other"}, ("--pkcs11-key-label", "ada"), "token"),
        ({"Path": "/nowhere.so"}, ("--pkcs11-key-label", "ada"), "token"),
        ({"SlotNumber": 1}, ("--pkcs11-key-label", "ada"), "token"),
        ({"Surprise": 1}, ("--pkcs11-key-label", "ada"), "token"),
    ],
)
def test_what_the_token_does_not_give_is_refused_with_a_reason(
    world, token, cli, changes, place, code
) -> None:
    world.write("other.json", token.configuration(**changes).read_bytes())
    done = cli("secret", "get", "recipe", "@", "--pkcs11-config", "other.json", *place)
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert done.stderr.startswith(f"error [{code}]"), done.stderr
    assert softhsm.PIN not in done.stderr


def test_a_user_in_the_token_without_the_permission_is_refused(cli) -> None:
    words = ("--pkcs11-config", "token.json", "--pkcs11-key-label", "bob")
    done = cli("secret", "get", "recipe", "@", *words)
    assert done.returncode == 1
    assert done.stderr.startswith("error [permission-refused]")


def test_a_strange_server_is_refused_before_a_request_is_sent(world, cli) -> None:
    strange = operator.certificate("strange", world.owners["omar"])
    world.write("strange.pem", operator.pem_certificate(strange))
    done = cli("secret", "set", "secrets.json", "@", *ADA, "--coordinator-cert", "strange.pem")
    assert done.returncode == 1
    assert done.stderr.startswith("error [peer]")


def test_an_awaiting_connection_signs_in_the_token_too(world, token) -> None:
    program = """
import asyncio, sys
from pathlib import Path
from sealmesh.client import read_policy, verify_coordinator_async
from sealmesh.client.token import Place, open_token

async def main():
    found = await verify_coordinator_async(sys.argv[1], policy=read_policy(Path("policy.json")))
    async with found.connect_async(open_token(Path("token.json")).user(Place(label="ada"))) as api:
        print((await api.secrets("recipe"))["recipe"].private.decode(), (await api.status()).code)

asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, world.address],
        cwd=world.folder, env=token.environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == "rye 3\n", done.stderr


def test_an_owners_key_in_the_token_opens_signs_and_encrypts(world, good) -> None:
    owner: rsa.RSAPrivateKey = world.owners["olga"]
    wrapped = world.shares("recovery.json")["olga"]
    plain = operator.open_secret(owner, wrapped)
    coordinator = rsa.generate_private_key(65537, 2048)
    world.write("share", wrapped)
    world.write("coordinator.pem", operator.pem_public(coordinator))
    key = ("--pkcs11-config", "token.json", "--pkcs11-key-id", "a1")
    offline = ("recover-with-signature",)
    good(*offline, "sign-secret", "share", "-o", "share.sig", *key)
    good(
        *offline,
        "encrypt-secret",
        "share",
        "--coordinator-pub-key",
        "coordinator.pem",
        "-o",
        "share.enc",
        *key,
    )
    signature = (world.folder / "share.sig").read_bytes()
    owner.public_key().verify(signature, plain, padding.PKCS1v15(), hashes.SHA256())
    assert operator.open_secret(coordinator, (world.folder / "share.enc").read_bytes()) == plain


def test_a_secret_for_another_owner_does_not_open(world, cli) -> None:
    world.write("share", world.shares("recovery.json")["omar"])
    done = cli(
        *("recover-with-signature", "sign-secret", "share", "--pkcs11-config", "token.json"),
        *("--pkcs11-key-id", "a1"),
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error [recovery-share-encryption]")


def test_the_token_recovers_the_coordinator(world, good) -> None:
    world.lose_key()
    trust = ("--policy", "policy.json")
    world.write("share", world.shares("recovery.json")["olga"])
    key = ("--pkcs11-config", "token.json", "--pkcs11-key-label", "olga")
    assert "Still missing: 1" in good("recover", "share", "@", *key, *trust)
    world.write("share", world.shares("recovery.json")["omar"])
    assert "has its state back" in good("recover", "share", "@", "-k", "omar.key", *trust)
    assert "recipe" in good("secret", "get", "recipe", "@", *ADA, *trust)
