"""An NV counter of a TPM as anchor.

TCG TPM 2.0 Library, part 1, 37.2.4 (`TPM_NT_COUNTER`): it can only be incremented, and a counter that is
deleted and defined anew begins above the highest count that any counter of this TPM ever had. Its first count
is therefore not known before. A second, empty index beside it (its handle plus one) says that a state is
bound.
"""

from typing import Any, Final

from sealmesh.adapters.tpm import Tpm, TpmConnection
from sealmesh.errors.store import AnchorError

#: In the range that TCG leaves to owners (Registry of Reserved TPM 2.0 Handles, 2.2.2).
DEFAULT_INDEX: Final = 0x01500010
FIRST_INDEX: Final = 0x01000000
LAST_INDEX: Final = 0x01FFFFFE
_COUNTER_BYTES: Final = 8


class TpmAnchor:
    """The counter at `index`, defined where it is missing; the owner's authorization must be empty."""

    def __init__(self, tpm: Tpm, *, index: int = DEFAULT_INDEX) -> None:
        self._tpm = tpm
        self._index = index

    def count(self) -> int | None:
        """Return the count; None where the counter is not defined or never counted."""
        with self._tpm.connected() as tpm:
            return self._read(tpm)

    def used(self) -> bool:
        """Tell whether the index beside it is defined."""
        with self._tpm.connected() as tpm:
            return _defined(tpm, self._index + 1)

    def begin(self) -> int:
        """Define the counter, and count once, where it never did."""
        with self._tpm.connected() as tpm:
            if not _defined(tpm, self._index):
                self._define(tpm, self._index, counter=True)
            found = self._read(tpm)
            return self._incremented(tpm) if found is None else found

    def advance(self, count: int) -> None:
        """Count once, and see that it is `count`."""
        with self._tpm.connected() as tpm:
            found = self._incremented(tpm)
        if found != count:
            raise AnchorError(
                "The TPM's counter was used by somebody else", found=found, wanted=count, remedy=_REMEDY
            )

    def mark_used(self) -> None:
        """Define the index beside it."""
        with self._tpm.connected() as tpm:
            if not _defined(tpm, self._index + 1):
                self._define(tpm, self._index + 1, counter=False)

    def describe(self) -> str:
        """Return one phrase for people."""
        return f"the counter {self._index:#010x} of the TPM at {self._tpm.tcti}"

    def _read(self, tpm: TpmConnection) -> int | None:
        if not _defined(tpm, self._index):
            return None
        lib, handle = tpm.library, tpm.esapi.tr_from_tpmpublic(self._index)
        attributes = tpm.esapi.nv_read_public(handle)[0].nvPublic.attributes
        if attributes & lib.TPMA_NV.TPM2_NT_MASK != lib.TPM2_NT.COUNTER << lib.TPMA_NV.TPM2_NT_SHIFT:
            raise AnchorError(
                "The TPM's index is not a counter", found=f"{self._index:#010x}", remedy=_REMEDY
            )
        if not attributes & lib.TPMA_NV.WRITTEN:
            return None
        return _counted(tpm, handle)

    def _incremented(self, tpm: TpmConnection) -> int:
        handle = tpm.esapi.tr_from_tpmpublic(self._index)
        tpm.esapi.nv_increment(handle, auth_handle=tpm.library.ESYS_TR.OWNER)
        return _counted(tpm, handle)

    def _define(self, tpm: TpmConnection, index: int, *, counter: bool) -> None:
        lib = tpm.library
        attributes = lib.TPMA_NV.OWNERREAD | lib.TPMA_NV.OWNERWRITE | lib.TPMA_NV.NO_DA
        if counter:
            attributes |= lib.TPM2_NT.COUNTER << lib.TPMA_NV.TPM2_NT_SHIFT
        public = lib.TPM2B_NV_PUBLIC(
            nvPublic=lib.TPMS_NV_PUBLIC(
                nvIndex=index,
                nameAlg=lib.TPM2_ALG.SHA256,
                attributes=attributes,
                dataSize=_COUNTER_BYTES,
            )
        )
        tpm.esapi.nv_define_space(lib.TPM2B_AUTH(), public, auth_handle=lib.ESYS_TR.OWNER)


_REMEDY: Final = "Give this Coordinator an index of its own: tpm:TCTI?index=0x0150...."


def _counted(tpm: TpmConnection, handle: Any) -> int:
    data = tpm.esapi.nv_read(handle, _COUNTER_BYTES, 0, auth_handle=tpm.library.ESYS_TR.OWNER)
    return int.from_bytes(bytes(data), "big")


def _defined(tpm: TpmConnection, index: int) -> bool:
    lib: Any = tpm.library
    _more, found = tpm.esapi.get_capability(lib.TPM2_CAP.HANDLES, index, 1)
    return index in [int(handle) for handle in found.data.handles]
