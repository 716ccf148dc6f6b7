"""The simulated SNP processor, Nitro hypervisor and TPM of a platform directory, made when first asked for.

snp.json      keys and certificates of AMD's stand-in and of the chip    0600
nitro.json    keys and certificates of AWS's stand-in                    0600
tpm.json      keys of a TPM, certificates of its manufacturer            0600
"""

from collections.abc import Callable
from datetime import datetime

from sealmesh.adapters.attester.private_directory import PrivateDirectory
from sealmesh.attestation.simulated import (
    SimulatedChip,
    SimulatedHypervisor,
    SimulatedTpm,
    create_chip,
    create_hypervisor,
    create_tpm,
)
from sealmesh.attestation.simulated.machine_record import (
    encode_chip,
    encode_hypervisor,
    encode_tpm,
    parse_chip,
    parse_hypervisor,
    parse_tpm,
)

_CHIP, _HYPERVISOR, _TPM = "snp.json", "nitro.json", "tpm.json"


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

    def chip(self) -> SimulatedChip:
        """Return the SNP processor.

        Raises:
            PlatformError: `platform:damaged`.
        """
        with self._directory.locked():
            raw = self._directory.read(_CHIP)
            if raw is None:
                chip = create_chip(now=self._now(), entropy=self._entropy)
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

    def tpm(self) -> SimulatedTpm:
        """Return the TPM.

        Raises:
            PlatformError: `platform:damaged`.
        """
        with self._directory.locked():
            raw = self._directory.read(_TPM)
            if raw is None:
                raw = encode_tpm(create_tpm(now=self._now(), entropy=self._entropy))
                self._directory.write(_TPM, raw)
        return parse_tpm(raw)

    def _now(self) -> datetime:
        return self._clock().replace(microsecond=0)
