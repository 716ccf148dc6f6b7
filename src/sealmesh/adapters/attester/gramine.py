"""SGX quotes as Gramine hands them out: pseudo-files under `/dev/attestation`.

Gramine documentation, "Attestation and Secret Provisioning", "Low-level /dev/attestation interface": 64 bytes
into `user_report_data`, then `quote` reads a quote over them; `attestation_type` says `dcap`.
"""

from pathlib import Path
from threading import Lock
from typing import Final

from sealmesh.attestation import REPORT_DATA_LENGTH
from sealmesh.errors.attestation import PlatformError

_MAX_QUOTE_BYTES: Final = 64 * 1024


class GramineAttester:
    """Quotes of this enclave. Threads take turns: the files are the whole process's.

    Args:
        directory: Where Gramine shows them.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._turn = Lock()

    def evidence(self, report_data: bytes) -> bytes:
        """Return a quote over `report_data`, at most 64 bytes."""
        data = report_data.ljust(REPORT_DATA_LENGTH, b"\0")
        try:
            kind = (self.directory / "attestation_type").read_text().strip()
            if kind != "dcap":
                raise _refusal(f"attestation type {kind!r}", "dcap")
            with self._turn:
                (self.directory / "user_report_data").write_bytes(data)
                quote = (self.directory / "quote").read_bytes()
        except OSError as error:
            raise _refusal(f"{error.filename}: {error.strerror}", "a quote") from error
        if not 0 < len(quote) <= _MAX_QUOTE_BYTES:
            raise _refusal(f"{len(quote)} bytes", "a quote")
        return quote

    def describe(self) -> str:
        """Return one phrase for people."""
        return f"SGX quotes from Gramine's {self.directory}"


def _refusal(found: str, wanted: str) -> PlatformError:
    return PlatformError(
        "Gramine gives no SGX quote",
        found=found,
        wanted=wanted,
        remedy='Run it under gramine-sgx, with sgx.remote_attestation = "dcap" in Gramine\'s manifest.',
    )
