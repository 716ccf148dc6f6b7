"""Evidence of a confidential VM through Linux's configfs-tsm: TDX, SNP and CCA alike.

Linux, Documentation/ABI/testing/configfs-tsm (since 6.7): a directory under `report/` is one request.
`inblob` takes the report data, `outblob` gives the Evidence, `auxblob` SNP's certificate table. `generation`
counts what is written, so that a request that somebody else changed in between is noticed.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from sealmesh.attestation import REPORT_DATA_LENGTH
from sealmesh.errors.attestation import PlatformError

_PROVIDERS: Final = ("tdx_guest", "sev_guest", "arm_cca_guest")
_MAX_BLOB_BYTES: Final = 64 * 1024
_WRITES: Final = 1


class TsmAttester:
    """Evidence of this machine. Threads and processes may ask at once: each makes a request of its own.

    Args:
        directory: `tsm/report` where configfs is mounted.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def evidence(self, report_data: bytes) -> bytes:
        """Return Evidence over `report_data`, at most 64 bytes; of SNP with the host's certificates."""
        data = report_data.ljust(REPORT_DATA_LENGTH, b"\0")
        try:
            with self._request() as entry:
                before = _generation(entry)
                _write(entry / "inblob", data)
                provider = _read(entry / "provider").decode("ascii", "replace").strip()
                if provider not in _PROVIDERS:
                    raise _refusal(f"provider {provider!r}", " or ".join(_PROVIDERS))
                evidence = _read(entry / "outblob")
                table = _read(entry / "auxblob") if provider == "sev_guest" else b""
                if _generation(entry) != before + _WRITES:
                    raise _refusal("a request that somebody else wrote to", "one that only we write to")
        except OSError as error:
            raise _refusal(f"{error.filename or self.directory}: {error.strerror}", "Evidence") from error
        if not evidence:
            raise _refusal("nothing", "Evidence")
        return evidence + (table if any(table) else b"")

    def describe(self) -> str:
        """Return one phrase for people."""
        return f"Evidence of this machine from {self.directory}"

    @contextmanager
    def _request(self) -> Iterator[Path]:
        entry = self.directory / f"sealmesh-{os.getpid()}-{secrets.token_hex(4)}"
        entry.mkdir()
        try:
            yield entry
        finally:
            with suppress(OSError):
                entry.rmdir()


def _generation(entry: Path) -> int:
    text = _read(entry / "generation").strip()
    if not text.isdigit():
        raise _refusal(f"generation {text[:20]!r}", "a number")
    return int(text)


def _write(path: Path, data: bytes) -> None:
    """Write in one call, as configfs wants it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        if os.write(descriptor, data) != len(data):
            raise _refusal(f"a part of {path.name}", "all of it")
    finally:
        os.close(descriptor)


def _read(path: Path) -> bytes:
    """Read to the end; an `auxblob` that is not there is empty."""
    try:
        with path.open("rb", buffering=0) as file:
            data = b""
            while piece := file.read(_MAX_BLOB_BYTES):
                data += piece
                if len(data) > _MAX_BLOB_BYTES:
                    raise _refusal(f"more than {_MAX_BLOB_BYTES} bytes in {path.name}", "Evidence")
            return data
    except FileNotFoundError:
        if path.name == "auxblob":
            return b""
        raise


def _refusal(found: str, wanted: str) -> PlatformError:
    return PlatformError(
        "the kernel gives no Evidence",
        found=found,
        wanted=wanted,
        remedy="Run it as root in a confidential VM with Linux 6.7 or later, with configfs mounted and the "
        "guest driver loaded (tdx-guest, sev-guest or arm-cca-guest).",
    )
