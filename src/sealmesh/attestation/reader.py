"""Reading binary structures: bounds are checked once, here, and nothing may be left over."""

from typing import NoReturn

from sealmesh.errors.attestation import EvidenceFormatError


class Reader:
    """A cursor over bytes whose every read is checked.

    Args:
        data: What to read.
        subject: What it is called in errors; becomes part of the code, `format:<subject>`.
    """

    __slots__ = ("_data", "_offset", "_subject")

    def __init__(self, data: bytes, subject: str) -> None:
        self._data = data
        self._offset = 0
        self._subject = subject

    @property
    def remaining(self) -> int:
        """How many bytes have not been read."""
        return len(self._data) - self._offset

    def take(self, count: int, name: str) -> bytes:
        """Return the next `count` bytes.

        Raises:
            EvidenceFormatError: Fewer are left.
        """
        start = self._offset
        end = start + count
        if end > len(self._data):
            raise EvidenceFormatError(
                f"{self._subject} ends inside {name}",
                code=f"format:{self._subject}",
                found=f"{self.remaining} bytes",
                wanted=f"{count} bytes",
            )
        self._offset = end
        return self._data[start:end]

    def uint(self, width: int, name: str) -> int:
        """Return the next little-endian unsigned integer of `width` bytes."""
        return int.from_bytes(self.take(width, name), "little")

    def big_uint(self, width: int, name: str) -> int:
        """Return the next big-endian unsigned integer of `width` bytes."""
        return int.from_bytes(self.take(width, name), "big")

    def sized(self, name: str, *, most: int) -> bytes:
        """Return a byte string after its length in two bytes, big-endian (the TPM's `TPM2B`).

        Raises:
            EvidenceFormatError: It is longer than `most` or than what is left.
        """
        length = self.big_uint(2, f"the length of {name}")
        if length > most:
            self.refuse(f"{name} is too long", found=f"{length} bytes", wanted=f"at most {most}")
        return self.take(length, name)

    def is_zero_to_the_end(self) -> bool:
        """Return whether everything that was not read is zero."""
        return not any(memoryview(self._data)[self._offset :])

    def refuse(self, problem: str, *, found: object = None, wanted: object = None) -> NoReturn:
        """Refuse the structure."""
        raise EvidenceFormatError(
            f"{self._subject}: {problem}", code=f"format:{self._subject}", found=found, wanted=wanted
        )

    def finish(self) -> None:
        """Refuse anything that was not read.

        Raises:
            EvidenceFormatError: Bytes are left over.
        """
        if self.remaining:
            raise EvidenceFormatError(
                f"{self._subject} has trailing bytes",
                code=f"format:{self._subject}",
                found=f"{self.remaining} bytes too many",
            )
