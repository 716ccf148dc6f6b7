"""Where Intel's collateral is, and how its items are called there and in the cache."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from sealmesh.attestation import Family

PCS: Final = "https://api.trustedservices.intel.com"
PCS_ROOT_CRL: Final = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
VERSIONS: Final = (4, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntelServer:
    """Where Intel's collateral is.

    Attributes:
        base: `https://HOST[:PORT]`, without a slash at the end.
        caches: Whether it is a PCCS, which finds platforms by the ID of their quoting enclave.
        root_crl: Where the root CA's revocation list is; None: at the server, as PCCS has it.
        version: Of the API: 4, or 3 (SGX only).
    """

    base: str = PCS
    caches: bool = False
    root_crl: str | None = PCS_ROOT_CRL
    version: int = 4

    def key(self, *words: str) -> str:
        """Return an item's name in the cache."""
        return "-".join((f"intel-v{self.version}", *words))

    def url(self, family: Family, path: str, **query: str) -> str:
        """Return where an item is."""
        place = f"{self.base}/{family}/certification/v{self.version}/{path}"
        return f"{place}?{urlencode(query)}" if query else place
