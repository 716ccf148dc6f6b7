"""SNP's TCB version: eight bytes, read differently for each generation of processors.

Source: AMD 56860, SEV Secure Nested Paging Firmware ABI, table "Structure of the TCB_VERSION" (Milan and
Genoa, Turin); AMD 57230, VCEK Certificate and KDS Interface, table "VCEK Certificate Extensions".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Generation(StrEnum):
    """A generation of processors: decides the layout of TCB versions and the length of the chip's ID."""

    MILAN = "Milan"
    GENOA = "Genoa"
    TURIN = "Turin"

    @property
    def chip_id_length(self) -> int:
        """How many bytes of CHIP_ID identify the chip; the rest is zero."""
        return 8 if self is Generation.TURIN else 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SnpTcb:
    """Security versions of the firmware's parts.

    Attributes:
        boot_loader: `bl`.
        tee: The secure processor's operating system.
        snp: The SNP firmware.
        microcode: `ucode`.
        fmc: The first mutable code, Turin only.
        reserved: The bytes that have no meaning yet, in order.
    """

    boot_loader: int
    tee: int
    snp: int
    microcode: int
    fmc: int | None = None
    reserved: bytes = bytes(4)

    def parts(self) -> dict[str, int]:
        """Return the parts that this generation has, by AMD's short names."""
        fmc = {} if self.fmc is None else {"fmc": self.fmc}
        return {**fmc, "bl": self.boot_loader, "tee": self.tee, "snp": self.snp, "ucode": self.microcode}

    def differences(self, other: "SnpTcb") -> Iterator[tuple[str, int, int]]:
        """Yield name, this one's and the other's value for each part that differs."""
        mine, theirs = self.parts(), other.parts()
        for name in dict.fromkeys((*mine, *theirs)):
            if mine.get(name, 0) != theirs.get(name, 0):
                yield name, mine.get(name, 0), theirs.get(name, 0)
        if self.reserved != other.reserved:
            yield "reserved", int.from_bytes(self.reserved, "big"), int.from_bytes(other.reserved, "big")

    def exceeds(self, other: "SnpTcb") -> str | None:
        """Return the name of a part in which this version is above the other, or None."""
        return next((name for name, mine, theirs in self.differences(other) if mine > theirs), None)


def read_tcb(raw: bytes, generation: Generation) -> SnpTcb:
    """Return the TCB version in eight bytes of a report."""
    if generation is Generation.TURIN:
        return SnpTcb(
            fmc=raw[0], boot_loader=raw[1], tee=raw[2], snp=raw[3], reserved=raw[4:7], microcode=raw[7]
        )
    return SnpTcb(boot_loader=raw[0], tee=raw[1], reserved=raw[2:6], snp=raw[6], microcode=raw[7])
