"""A software TPM from end to end: EK certificate, activation of a key, quote."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from sealmesh.attestation import (
    ActivatedKey,
    Family,
    TpmClaims,
    TpmCollateral,
    TrustRoot,
    encode_tpm_evidence,
    make_credential,
    parse_evidence,
    verify,
)
from sealmesh.attestation.certification import PublicKey, parse_pem_certificates, parse_public_key
from sealmesh.attestation.tpm import Bank, parse_public_area, verify_endorsement_key
from sealmesh.errors.attestation import AttestationError

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("swtpm", "swtpm_setup", "tpm2_quote"))),
    reason="no TPM simulator: swtpm-tools or tpm2-tools is not installed",
)
NONCE = sha256(b"a Marble's certificate").digest()
PCRS = {7: bytes(32), 16: sha256(bytes(32) + sha256(b"marble").digest()).digest()}
CREDENTIAL_HEADER = bytes.fromhex("badcc0de00000001")  # tpm2-tools puts it before the two structures


@dataclass(frozen=True)
class Tpm:
    """A running swtpm in a directory of its own."""

    directory: Path

    def run(self, command: str) -> None:
        environment = {**os.environ, "TPM2TOOLS_TCTI": f"swtpm:path={self.directory}/socket"}
        done = subprocess.run(
            command.split(), cwd=self.directory, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"

    def tools(self, *commands: str) -> None:
        for command in commands:
            self.run(command)
            self.run("tpm2_flushcontext -t")

    def read(self, name: str) -> bytes:
        return (self.directory / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        (self.directory / name).write_bytes(data)


@dataclass(frozen=True)
class Manufacturer:
    """Who signed the EK certificate."""

    ek: bytes
    candidates: tuple[bytes, ...]
    root: TrustRoot


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory with a short path, for the socket's name may not be long."""
    directory = tmp_path_factory.mktemp("t")
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def manufacturer(home: Path) -> Manufacturer:
    state, authority = home / "state", home / "ca"
    state.mkdir()
    authority.mkdir()
    (home / "localca.conf").write_text(
        f"statedir = {authority}\nsigningkey = {authority}/key.pem\nissuercert = {authority}/issuer.pem\n"
        f"certserial = {authority}/serial\n"
    )
    (home / "options.conf").write_text(
        "--platform-manufacturer sealmesh\n--platform-version 1\n--platform-model test\n"
    )
    (home / "setup.conf").write_text(
        "create_certs_tool= /usr/bin/swtpm_localca\n"
        f"create_certs_tool_config = {home}/localca.conf\n"
        f"create_certs_tool_options = {home}/options.conf\n"
    )
    done = subprocess.run(
        ["swtpm_setup", "--tpm2", "--tpmstate", str(state), "--create-ek-cert", "--overwrite",
         "--config", str(home / "setup.conf"), "--write-ek-cert-files", str(home), "--pcr-banks", "sha256"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    (ek,) = home.glob("ek-rsa*.crt")
    files = [*authority.glob("*cert.pem"), authority / "issuer.pem"]
    cas = [
        certificate
        for path in files
        for certificate in parse_pem_certificates(path.read_bytes(), subject="ca", most=4)
    ]
    root = next(ca for ca in cas if ca.issuer == ca.subject)
    return Manufacturer(
        ek=ek.read_bytes(),
        candidates=tuple({ca.der: None for ca in cas}),
        root=TrustRoot(name="swtpm", family=Family.TPM, sha256=root.sha256),
    )


def listens(path: Path) -> bool:
    """Tell whether somebody can connect: the socket is there a moment earlier."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


@pytest.fixture(scope="module")
def tpm(home: Path, manufacturer: Manufacturer) -> Iterator[Tpm]:
    process = subprocess.Popen(
        ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={home}/state",
         "--server", f"type=unixio,path={home}/socket", "--ctrl", f"type=unixio,path={home}/socket.ctrl",
         "--flags", "not-need-init,startup-clear"],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        while not listens(home / "socket"):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield Tpm(home)
    finally:
        process.terminate()
        process.wait(30)


def activate(tpm: Tpm, ek: PublicKey, key_name: bytes, secret: bytes) -> bytes:
    """Return what the TPM gives back for a secret that was encrypted to its EK."""
    credential = make_credential(ek, key_name, secret, entropy=os.urandom)
    tpm.write("credential", CREDENTIAL_HEADER + credential.blob + credential.encrypted_seed)
    tpm.run("tpm2_startauthsession --policy-session -S session")
    tpm.run("tpm2_policysecret -S session -c e")
    tpm.run("tpm2_activatecredential -c ak.ctx -C ek.ctx -i credential -o answer -P session:session")
    tpm.tools("tpm2_flushcontext session")
    return tpm.read("answer")


@dataclass(frozen=True)
class Quoted:
    """Evidence, and the key whose TPM answered."""

    raw: bytes
    key: ActivatedKey


@pytest.fixture(scope="module")
def quoted(tpm: Tpm, manufacturer: Manufacturer) -> Quoted:
    digest = sha256(b"marble").hexdigest()
    tpm.tools(
        "tpm2_createek -c ek.ctx -G rsa -u ek.pub",
        "tpm2_createak -C ek.ctx -c ak.ctx -G ecc -g sha256 -s ecdsa -u ak.pub -n ak.name",
        f"tpm2_pcrextend 16:sha256={digest}",
        f"tpm2_quote -c ak.ctx -l sha256:7,16 -q {NONCE.hex()} -m quote.msg -s quote.sig -g sha256",
    )
    area = tpm.read("ak.pub")[2:]  # TPM2B_PUBLIC
    now = datetime.now(UTC)
    path = verify_endorsement_key(
        manufacturer.ek, manufacturer.candidates, roots=[manufacturer.root], now=now
    )
    challenge = os.urandom(32)
    answer = activate(tpm, path.leaf.key, parse_public_area(area).name, challenge)
    raw = encode_tpm_evidence(
        attest=tpm.read("quote.msg"), signature=tpm.read("quote.sig"), pcrs={Bank.SHA256: PCRS}, key=area
    )
    key = ActivatedKey(
        public_area=area,
        certificate=manufacturer.ek,
        candidates=manufacturer.candidates,
        challenge=challenge,
        answer=answer,
    )
    return Quoted(raw, key)


def test_quote_of_a_tpm_verifies_down_from_its_manufacturers_root(
    quoted: Quoted, manufacturer: Manufacturer
) -> None:
    verified = verify(
        parse_evidence(quoted.raw),
        TpmCollateral(key=quoted.key, nonce=NONCE),
        roots=[manufacturer.root],
        now=datetime.now(UTC),
    )
    assert isinstance(verified.claims, TpmClaims)
    assert verified.claims.pcrs == {Bank.SHA256: PCRS}
    assert verified.claims.manufacturer is not None


def test_answer_of_another_tpm_is_refused(quoted: Quoted, manufacturer: Manufacturer) -> None:
    stolen = replace(quoted.key, answer=os.urandom(32))
    with pytest.raises(AttestationError) as caught:
        verify(
            parse_evidence(quoted.raw),
            TpmCollateral(key=stolen, nonce=NONCE),
            roots=[manufacturer.root],
            now=datetime.now(UTC),
        )
    assert caught.value.code == "binding:credential"


def test_secret_encrypted_to_an_elliptic_ek_comes_back(tpm: Tpm, quoted: Quoted) -> None:
    tpm.tools(
        "tpm2_createek -c ek.ctx -G ecc -u ek.pem -f pem",
        "tpm2_createak -C ek.ctx -c ak.ctx -G ecc -g sha256 -s ecdsa -u ak.pub -n ak.name",
    )
    ek = parse_public_key(tpm.read("ek.pem"), subject="ek")
    assert activate(tpm, ek, tpm.read("ak.name"), b"secret") == b"secret"
