"""A running program as the simulated processor knows it."""

from dataclasses import dataclass
from enum import StrEnum

from sealmesh.attestation.dcap.enclave_report import ATTRIBUTE_DEBUG, ATTRIBUTE_INIT, ATTRIBUTE_MODE64
from sealmesh.attestation.simulated.signature import SignatureStructure

XFRM = bytes.fromhex("e700000000000000")


class SealMode(StrEnum):
    """What a seal key depends on."""

    PRODUCT_KEY = "ProductKey"
    """The signer and product: a later version of the same product gets the same key."""
    UNIQUE_KEY = "UniqueKey"
    """The measurement: only exactly this program gets the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedEnclave:
    """The identity that a simulated quote states.

    Attributes:
        unique_id: 32 bytes, the measurement.
        signer_id: 32 bytes, of the key that signed the package.
        product_id: 0 to 65535.
        security_version: 0 to 65535.
        debug: Whether it runs as a debug enclave.
    """

    unique_id: bytes
    signer_id: bytes
    product_id: int
    security_version: int
    debug: bool = False

    @classmethod
    def of(cls, signature: SignatureStructure) -> "SimulatedEnclave":
        """Return the enclave that a signature structure describes."""
        return cls(
            unique_id=signature.unique_id,
            signer_id=signature.signer_id,
            product_id=signature.product_id,
            security_version=signature.security_version,
            debug=signature.debug,
        )

    @property
    def attributes(self) -> bytes:
        """The 16 bytes of ATTRIBUTES."""
        flags = ATTRIBUTE_INIT | ATTRIBUTE_MODE64 | (ATTRIBUTE_DEBUG if self.debug else 0)
        return flags.to_bytes(8, "little") + XFRM
