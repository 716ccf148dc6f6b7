"""The simulated platform: measurement, signature, seal keys, names."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from sealmesh.attestation.simulated import (
    EnvironmentVariable,
    MeasuredFile,
    PackageContent,
    SealMode,
    SimulatedEnclave,
    differences,
    measure,
    parse_signature_structure,
    sign_package,
    signer_id,
)
from sealmesh.attestation.simulated.record import encode_platform, parse_platform
from sealmesh.errors.attestation import PackageError, PlatformError, VerificationError

Scene = Any
NOW = datetime(2031, 3, 1, tzinfo=UTC)

CONTENT = PackageContent(
    exe="app.py",
    args=("--port", "80"),
    environment=(
        EnvironmentVariable(name="MODE", value="fast"),
        EnvironmentVariable(name="HOME", value=None, from_host=True),
    ),
    files=(MeasuredFile.of("app.py", b"print(1)"), MeasuredFile.of("lib/a.py", b"")),
    settings=(("heapSize", b"512"),),
)

CHANGES: dict[str, dict[str, Any]] = {
    "program": {"exe": "app2.py"},
    "an argument": {"args": ("--port", "81")},
    "arguments joined": {"args": ("--port80",)},
    "argument order": {"args": ("80", "--port")},
    "an argument more": {"args": ("--port", "80", "")},
    "a value": {"environment": (EnvironmentVariable(name="MODE", value="slow"), CONTENT.environment[1])},
    "a variable's name": {
        "environment": (EnvironmentVariable(name="MODE2", value="fast"), CONTENT.environment[1])
    },
    "a variable less": {"environment": CONTENT.environment[:1]},
    "host may set it": {
        "environment": (
            EnvironmentVariable(name="MODE", value="fast", from_host=True),
            CONTENT.environment[1],
        )
    },
    "host's variable gets a default": {
        "environment": (CONTENT.environment[0], EnvironmentVariable(name="HOME", value="", from_host=True))
    },
    "a byte in a file": {"files": (MeasuredFile.of("app.py", b"print(2)"), CONTENT.files[1])},
    "a file's name": {"files": (CONTENT.files[0], MeasuredFile.of("lib/b.py", b""))},
    "a file less": {"files": CONTENT.files[:1]},
    "a file more": {"files": (*CONTENT.files, MeasuredFile.of("new", b""))},
    "a setting": {"settings": (("heapSize", b"513"),)},
    "no settings": {"settings": ()},
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_a_package_changes_its_measurement(change: str) -> None:
    changed = replace(CONTENT, **CHANGES[change])
    assert measure(changed) != measure(CONTENT)
    assert differences(CONTENT, changed)


def test_order_of_files_and_variables_does_not_matter() -> None:
    turned = replace(
        CONTENT, files=tuple(reversed(CONTENT.files)), environment=tuple(reversed(CONTENT.environment))
    )
    assert measure(turned) == measure(CONTENT)
    assert differences(CONTENT, turned) == ()


def test_differences_name_the_files() -> None:
    files = (MeasuredFile.of("app.py", b"print(2)"), MeasuredFile.of("new", b""))
    assert differences(CONTENT, replace(CONTENT, files=files)) == (
        "file app.py changed",
        "file lib/a.py is missing",
        "file new is new",
    )


@pytest.mark.parametrize(
    "twice",
    [
        {"files": (MeasuredFile.of("a", b""), MeasuredFile.of("a", b"1"))},
        {
            "environment": (
                CONTENT.environment[0],
                EnvironmentVariable(name="MODE", value=None, from_host=True),
            )
        },
        {"settings": (("a", b""), ("a", b"1"))},
    ],
)
def test_nothing_stands_twice_in_a_package(twice: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="twice"):
        replace(CONTENT, **twice)


# --- signature structure ---


def sign(key: rsa.RSAPrivateKey, **changes: Any) -> Any:
    values = {"product_id": 7, "security_version": 3, "debug": False, "now": NOW, **changes}
    return sign_package(measure(CONTENT), key, **values)


def test_signature_says_what_was_signed(signing_key: rsa.RSAPrivateKey) -> None:
    signature = sign(signing_key)
    assert signature.unique_id == measure(CONTENT)
    assert (signature.product_id, signature.security_version, signature.debug) == (7, 3, False)
    assert sign(signing_key, debug=True).debug
    assert parse_signature_structure(signature.raw) == signature


def test_signature_has_the_layout_of_sigstruct(signing_key: rsa.RSAPrivateKey) -> None:
    raw = sign(signing_key).raw
    numbers = signing_key.public_key().public_numbers()
    signature = int.from_bytes(raw[516:900], "little")
    assert len(raw) == 1808
    assert raw[:16].hex() == "06000000e10000000000010000000000"
    assert raw[20:24].hex() == "01033120"  # 0x20310301, little-endian
    assert raw[24:40].hex() == "01010000600000006000000001000000"
    assert raw[128:512] == numbers.n.to_bytes(384, "little")
    assert int.from_bytes(raw[512:516], "little") == 3
    assert raw[960:992] == measure(CONTENT)
    assert raw[1024:1028] == bytes((7, 0, 3, 0))
    q1 = int.from_bytes(raw[1040:1424], "little")
    q2 = int.from_bytes(raw[1424:1808], "little")
    assert q1 == signature**2 // numbers.n
    assert q2 == (signature**3 - q1 * signature * numbers.n) // numbers.n


def test_signer_id_is_the_hash_of_the_little_endian_modulus(signing_key: rsa.RSAPrivateKey) -> None:
    modulus = signing_key.public_key().public_numbers().n.to_bytes(384, "little")
    assert signer_id(signing_key.public_key()) == sha256(modulus).digest()
    assert sign(signing_key).signer_id == sha256(modulus).digest()


@pytest.mark.parametrize(
    "byte", [0, 17, 21, 45, 127, 130, 511, 512, 520, 905, 930, 970, 1024, 1026, 1030, 1041, 1807]
)
def test_changed_signature_structure_is_refused(signing_key: rsa.RSAPrivateKey, byte: int) -> None:
    raw = bytearray(sign(signing_key).raw)
    raw[byte] ^= 0x10
    with pytest.raises(VerificationError) as caught:
        parse_signature_structure(bytes(raw))
    assert caught.value.code == "signature:package"


@pytest.mark.parametrize(("bits", "exponent"), [(2048, 3), (3072, 65537)])
def test_key_of_another_kind_is_refused(bits: int, exponent: int) -> None:
    key = rsa.generate_private_key(public_exponent=exponent, key_size=bits)
    with pytest.raises(PackageError) as caught:
        sign(key)
    assert caught.value.code == "package:key"
    assert "openssl genrsa -3" in str(caught.value)


@pytest.mark.parametrize("field", ["product_id", "security_version"])
@pytest.mark.parametrize("number", [-1, 65536])
def test_number_that_sgx_cannot_carry_is_refused(
    signing_key: rsa.RSAPrivateKey, field: str, number: int
) -> None:
    with pytest.raises(PackageError) as caught:
        sign(signing_key, **{field: number})
    assert caught.value.code == "package:version"


# --- platform ---


def test_product_key_survives_an_update_and_unique_key_does_not(scene: Scene) -> None:
    platform, old = scene.platform, scene.enclave
    new = replace(old, unique_id=bytes(32), security_version=old.security_version + 1)

    def before(mode: SealMode) -> bytes:
        return platform.seal_key(new, mode, security_version=old.security_version)

    assert platform.seal_key(old, SealMode.PRODUCT_KEY) == before(SealMode.PRODUCT_KEY)
    assert platform.seal_key(old, SealMode.UNIQUE_KEY) != before(SealMode.UNIQUE_KEY)
    assert len(platform.seal_key(old, SealMode.UNIQUE_KEY)) == 32


@pytest.mark.parametrize("mode", list(SealMode))
def test_a_lower_security_version_gets_no_key_of_a_higher_one(scene: Scene, mode: SealMode) -> None:
    platform, old = scene.platform, scene.enclave
    new = replace(old, security_version=old.security_version + 1)
    assert platform.seal_key(new, mode) != platform.seal_key(old, mode)
    with pytest.raises(PlatformError) as caught:
        platform.seal_key(old, mode, security_version=new.security_version)
    assert caught.value.code == "platform:seal-key-version"


@pytest.mark.parametrize("change", [{"signer_id": bytes(32)}, {"product_id": 8}, {"debug": True}])
@pytest.mark.parametrize("mode", list(SealMode))
def test_another_program_gets_another_key(scene: Scene, change: dict[str, Any], mode: SealMode) -> None:
    other: SimulatedEnclave = replace(scene.enclave, unique_id=bytes(32), **change)
    assert scene.platform.seal_key(other, mode) != scene.platform.seal_key(scene.enclave, mode)


def test_another_machine_gives_another_key(scene: Scene) -> None:
    other = replace(scene.platform, seal_secret=bytes(32))
    assert other.seal_key(scene.enclave, SealMode.UNIQUE_KEY) != scene.platform.seal_key(
        scene.enclave, SealMode.UNIQUE_KEY
    )


def test_both_modes_give_different_keys(scene: Scene) -> None:
    assert scene.platform.seal_key(scene.enclave, SealMode.PRODUCT_KEY) != scene.platform.seal_key(
        scene.enclave, SealMode.UNIQUE_KEY
    )


def test_every_name_says_that_it_is_simulated(scene: Scene) -> None:
    vendor = scene.vendor
    for part in (vendor.root, vendor.pck_ca, vendor.tcb_signer, scene.platform.pck):
        assert "sealmesh simulated SGX" in part.certificate.subject.rfc4514_string()
    assert vendor.trust_root.name == "simulated"
    assert vendor.trust_root.simulated


def test_platform_comes_back_from_its_record(scene: Scene) -> None:
    again = parse_platform(encode_platform(scene.platform))
    assert again.pck_chain == scene.platform.pck_chain
    assert again.seal_secret == scene.platform.seal_secret
    assert scene.but(quote=again.quote(scene.enclave, scene.report_data)).verify()


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: b"",
        lambda raw: b"[]",
        lambda raw: raw[:-20],
        lambda raw: raw.replace(b"platform-v1", b"platform-v2"),
        lambda raw: raw.replace(b'"sealSecret": "', b'"sealSecret": "0'),
        lambda raw: raw.replace(b'"pck"', b'"pkc"'),
        lambda raw: raw.replace(b"BEGIN PRIVATE", b"BEGIN PUBLIC", 1),
    ],
)
def test_damaged_record_is_refused(scene: Scene, damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(PlatformError) as caught:
        parse_platform(damage(encode_platform(scene.platform)))
    assert caught.value.code == "platform:damaged"


def test_seal_secret_does_not_show(scene: Scene) -> None:
    assert repr(scene.platform.seal_secret) not in repr(scene.platform)


@pytest.mark.parametrize("length", [0, 63, 65])
def test_quote_takes_64_bytes_of_report_data(scene: Scene, length: int) -> None:
    with pytest.raises(ValueError, match="64"):
        scene.platform.quote(scene.enclave, bytes(length))
