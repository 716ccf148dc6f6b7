"""What a verified Nitro attestation document says."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NitroClaims:
    """Facts about an enclave. Whether they are wanted is for `appraise`.

    Attributes:
        module_id: Instance and enclave.
        timestamp: Milliseconds since 1970, by the hypervisor's clock.
        pcrs: Registers by number: 0 image, 1 kernel and boot, 2 application, 3 IAM role, 4 instance,
            8 signer of the image. All zero: not measured.
        debug: Whether the enclave runs in debug mode: PCR0, 1 and 2 are zero.
        user_data: What the enclave put there; empty where it put nothing.
        nonce: The same.
        public_key: The same.
        region: Where the instance runs, as the certificate of its hypervisor names it; None: it does not.
    """

    module_id: str
    timestamp: int
    pcrs: Mapping[int, bytes]
    debug: bool
    user_data: bytes
    nonce: bytes
    public_key: bytes
    region: str | None = None
