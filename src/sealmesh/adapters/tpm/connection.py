"""Connections to a TPM, one for each piece of work, with foreign exceptions made ours.

Commands that carry a secret run in a session whose key is salted to a storage key of the owner hierarchy, so
that the secret does not cross the bus in plain. That is no protection against somebody who sits on the bus
and *answers* for the TPM: see LIMITATIONS.md.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sealmesh.errors.store import TpmError

if TYPE_CHECKING:
    from tpm2_pytss import ESAPI

DEFAULT_TCTI: Final = "device:/dev/tpmrm0"
#: Storage key (TCG TPM 2.0 Library part 1, 23.3), the same at each creation in one hierarchy.
_STORAGE_KEY: Final = "ecc256:aes128cfb"
#: A TPM without a resource manager serves one at a time; between processes that is the operator's to see to.
_LOCK: Final = threading.Lock()


class Tpm:
    """The TPM behind a TCTI configuration (`device:/dev/tpmrm0`, `swtpm:path=SOCKET`).

    Raises:
        TpmError: The library is not installed.
    """

    def __init__(self, tcti: str = DEFAULT_TCTI) -> None:
        try:
            import tpm2_pytss
        except ImportError as error:
            raise TpmError(
                "The library for TPMs is not there",
                found=str(error),
                remedy="Install sealmesh[tpm]; it is built against libtss2 (Debian: libtss2-dev).",
            ) from error
        self.library: Any = tpm2_pytss
        self.tcti = tcti

    @contextmanager
    def connected(self) -> Iterator["TpmConnection"]:
        """Connect for one piece of work; threads take turns.

        Raises:
            TpmError: The TPM cannot be reached, or refuses a command.
        """
        try:
            with _LOCK, self.library.ESAPI(self.tcti) as esapi:
                yield TpmConnection(esapi, self.library)
        except (self.library.TSS2_Exception, ValueError, RuntimeError) as error:
            raise TpmError("The TPM refuses or cannot be reached", found=f"{self.tcti}: {error}") from error


class TpmConnection:
    """An open connection; handles made through it are flushed where they were made."""

    def __init__(self, esapi: "ESAPI", library: Any) -> None:
        self.esapi: Any = esapi
        self.library = library

    @contextmanager
    def storage_key(self) -> Iterator[Any]:
        """Make the owner's storage key, for as long as it is needed."""
        lib = self.library
        attributes = (
            lib.TPMA_OBJECT.USERWITHAUTH
            | lib.TPMA_OBJECT.RESTRICTED
            | lib.TPMA_OBJECT.DECRYPT
            | lib.TPMA_OBJECT.NODA
            | lib.TPMA_OBJECT.FIXEDTPM
            | lib.TPMA_OBJECT.FIXEDPARENT
            | lib.TPMA_OBJECT.SENSITIVEDATAORIGIN
        )
        template = lib.TPM2B_PUBLIC.parse(_STORAGE_KEY, objectAttributes=attributes)
        handle, *_ = self.esapi.create_primary(lib.TPM2B_SENSITIVE_CREATE(), template, lib.ESYS_TR.OWNER)
        with self.flushed(handle):
            yield handle

    @contextmanager
    def session(self, kind: Any, *, salted_to: Any = None) -> Iterator[Any]:
        """Start a session; with `salted_to` it encrypts the first parameter in both directions."""
        lib = self.library
        salted = salted_to is not None
        symmetric = lib.TPMT_SYM_DEF(
            algorithm=lib.TPM2_ALG.AES,
            keyBits=lib.TPMU_SYM_KEY_BITS(sym=128),
            mode=lib.TPMU_SYM_MODE(sym=lib.TPM2_ALG.CFB),
        )
        handle = self.esapi.start_auth_session(
            tpm_key=salted_to if salted else lib.ESYS_TR.NONE,
            bind=lib.ESYS_TR.NONE,
            session_type=kind,
            symmetric=symmetric,
            auth_hash=lib.TPM2_ALG.SHA256,
        )
        with self.flushed(handle):
            if salted:
                encrypting = (
                    lib.TPMA_SESSION.ENCRYPT | lib.TPMA_SESSION.DECRYPT | lib.TPMA_SESSION.CONTINUESESSION
                )
                self.esapi.trsess_set_attributes(handle, encrypting)
            yield handle

    @contextmanager
    def flushed(self, handle: Any) -> Iterator[None]:
        """Flush `handle` at the end, also after a refusal."""
        try:
            yield
        finally:
            self.esapi.flush_context(handle)
