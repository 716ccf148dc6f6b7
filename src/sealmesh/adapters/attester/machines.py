"""The simulated SNP processor and Nitro hypervisor of a platform directory, made when first used.

snp.json      keys and certificates of AMD's stand-in and of the chip    0600
nitro.json    keys and certificates of AWS's stand-in                    0600
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import rsa

from sealmesh.adapters.attester.private_directory import PrivateDirectory
from sealmesh.attestation.simulated import (
    SimulatedChip,
    SimulatedHypervisor,
    create_chip,
    create_hypervisor,
)
from sealmesh.attestation.simulated.machine_record import (
    encode_chip,
    encode_hypervisor,
    parse_chip,
    parse_hypervisor,
)

_CHIP, _HYPERVISOR = "snp.json", "nitro.json"
_RSA_BITS = 2048
"""AMD's are of 4096; making those takes seconds, and these protect nothing."""


class SimulatedMachines:
    """What the directory holds besides the SGX platform."""

    def __init__(
        self,
        directory: PrivateDirectory,
        clock: Callable[[], datetime],
        entropy: Callable[[int], bytes],
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._entropy = entropy

    def existing(self) -> Iterator[SimulatedChip | SimulatedHypervisor]:
        """Yield those that were made."""
        with self._directory.locked():
            chip, hypervisor = self._directory.read(_CHIP), self._directory.read(_HYPERVISOR)
        if chip is not None:
            yield parse_chip(chip)
        if hypervisor is not None:
            yield parse_hypervisor(hypervisor)

    def chip(self) -> SimulatedChip:
        """Return the SNP processor.

        Raises:
            PlatformError: `platform:damaged`.
        """
        with self._directory.locked():
            raw = self._directory.read(_CHIP)
            if raw is None:
                chip = create_chip(now=self._now(), entropy=self._entropy, rsa_key=_generate_rsa)
                raw = encode_chip(chip)
                self._directory.write(_CHIP, raw)
        return parse_chip(raw)

    def hypervisor(self) -> SimulatedHypervisor:
        """Return the Nitro hypervisor.

        Raises:
            PlatformError: `platform:damaged`.
        """
        with self._directory.locked():
            raw = self._directory.read(_HYPERVISOR)
            if raw is None:
                raw = encode_hypervisor(create_hypervisor(now=self._now(), entropy=self._entropy))
                self._directory.write(_HYPERVISOR, raw)
        return parse_hypervisor(raw)

    def _now(self) -> datetime:
        return self._clock().replace(microsecond=0)


def _generate_rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
