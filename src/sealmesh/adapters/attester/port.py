"""The port, with what an Attester that lives in a TEE can do besides Evidence."""

from typing import Protocol

from sealmesh.coordinator.ports import Attester as EvidenceSource


class Attester(EvidenceSource, Protocol):
    """Gives Evidence of the process it lives in, and keys to seal with. Safe for several threads.

    Report data is at most 64 bytes and filled up with zeros.
    """

    @property
    def security_version(self) -> int:
        """The security version of this program."""
        ...

    def seal_key(self, mode: str, *, security_version: int | None = None) -> bytes:
        """Return the 32-byte key that this platform gives this program only.

        Args:
            mode: `ProductKey` (survives updates by the same signer) or `UniqueKey`.
            security_version: Of the program that sealed, at most this program's own, which is the default.

        Raises:
            PlatformError: A security version above the program's own.
        """
        ...
