"""Simulators of devices, a TPM (swtpm) and a token (softhsm2). Without one its tests are skipped."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

_SOFTHSM = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
]


class SimulatedTpm:
    """One swtpm process. It serves one connection at a time, as a TPM without a resource manager does."""

    def __init__(self) -> None:
        # Not under pytest's directory: the path of a socket is at most 107 bytes long.
        self.directory = Path(tempfile.mkdtemp(prefix="swtpm-"))
        self.socket = self.directory / "s"
        self.tcti = f"swtpm:path={self.socket}"
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                *("swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.directory}"),
                *("--server", f"type=unixio,path={self.socket}"),
                *("--ctrl", f"type=unixio,path={self.socket}.ctrl"),
                *("--flags", "not-need-init,startup-clear"),
            ],
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 30
        while not self._listens():
            assert self.process.poll() is None, "swtpm ended"
            assert time.monotonic() < deadline, "swtpm did not start"
            time.sleep(0.005)

    def _listens(self) -> bool:
        """Tell whether somebody can connect: the socket is there a moment earlier."""
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.socket.unlink(missing_ok=True)

    def extend(self, register: int) -> None:
        """Measure something into a register."""
        import tpm2_pytss as tss

        from sealmesh.adapters.tpm import Tpm

        digest = tss.TPMT_HA(hashAlg=tss.TPM2_ALG.SHA256, digest=tss.TPMU_HA(sha256=os.urandom(32)))
        with Tpm(self.tcti).connected() as tpm:
            tpm.esapi.pcr_extend(tss.ESYS_TR(register), tss.TPML_DIGEST_VALUES([digest]))

    def endorse(self, kind, index, issue):
        """Do as a manufacturer does: issue a certificate for the EK and leave it in the TPM's memory.

        Args:
            kind: `EK-RSA2048` or `EK-ECC256`.
            index: Where its certificate lies.
            issue: Takes the public key, gives DER.
        """
        import tpm2_pytss as tss
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
        from tpm2_pytss.utils import NVReadEK, create_ek_template

        from sealmesh.adapters.tpm import Tpm

        with Tpm(self.tcti).connected() as tpm:
            _, template = create_ek_template(kind, NVReadEK(tpm.esapi))
            empty, hierarchy = tss.TPM2B_SENSITIVE_CREATE(), tss.ESYS_TR.ENDORSEMENT
            handle, public, *_ = tpm.esapi.create_primary(empty, template, hierarchy)
            with tpm.flushed(handle):
                certificate = issue(load_pem_public_key(public.to_pem()))
            attributes = tss.TPMA_NV.OWNERWRITE | tss.TPMA_NV.OWNERREAD | tss.TPMA_NV.AUTHREAD
            place = tss.TPMS_NV_PUBLIC(
                nvIndex=index,
                nameAlg=tss.TPM2_ALG.SHA256,
                attributes=attributes | tss.TPMA_NV.NO_DA,
                dataSize=len(certificate) + 16,
            )
            memory = tpm.esapi.nv_define_space(None, tss.TPM2B_NV_PUBLIC(nvPublic=place))
            stored = certificate + b"\xff" * 16  # real ones are often padded
            for start in range(0, len(stored), 512):
                part = tss.TPM2B_MAX_NV_BUFFER(stored[start : start + 512])
                tpm.esapi.nv_write(memory, part, offset=start, auth_handle=tss.ESYS_TR.OWNER)
        return certificate


@pytest.fixture(scope="module")
def start_tpm():
    """Start as many TPMs as a module needs; they end with it."""
    if shutil.which("swtpm") is None:
        pytest.skip("no TPM simulator: swtpm is not installed")
    os.environ.setdefault("TSS2_LOG", "all+NONE")
    reason = "no TPM simulator: tpm2-pytss is not installed"
    pytest.importorskip("tpm2_pytss", reason=reason, exc_type=ImportError)
    started = []

    def start():
        started.append(SimulatedTpm())
        return started[-1]

    yield start
    for simulated in started:
        simulated.stop()
        shutil.rmtree(simulated.directory, ignore_errors=True)


@pytest.fixture(scope="module")
def tpm(start_tpm):
    """Start a TPM of its own for each module."""
    return start_tpm()


@pytest.fixture(scope="module")
def hsm(tmp_path_factory):
    """Make a token of its own for each module; return its library and a file with its PIN."""
    library = next((path for path in _SOFTHSM if Path(path).is_file()), None)
    if library is None or shutil.which("softhsm2-util") is None:
        pytest.skip("no HSM simulator: softhsm2 is not installed")
    import pkcs11

    directory = tmp_path_factory.mktemp("hsm")
    (directory / "tokens").mkdir()
    configuration = directory / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {directory}/tokens\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    create = ["softhsm2-util", "--init-token", "--free", "--label", "mesh", "--so-pin", "1234"]
    subprocess.run([*create, "--pin", "5678"], check=True, stdout=subprocess.DEVNULL)
    (directory / "pin").write_text("5678\n")
    pkcs11.lib(library).reinitialize()
    return Path(library), directory / "pin"
