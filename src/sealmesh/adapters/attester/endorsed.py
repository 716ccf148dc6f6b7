"""A real TEE's Evidence with the Endorsements that a verifier needs: the Coordinator's own."""

from typing import Protocol, runtime_checkable

from sealmesh.adapters.attester.device import EvidenceDevice
from sealmesh.attestation import parse_evidence
from sealmesh.coordinator.ports import Endorser
from sealmesh.errors.attestation import AttestationError


@runtime_checkable
class Endorsed(Protocol):
    """A device whose surroundings have Endorsements for it."""

    def endorsements(self) -> bytes:
        """Return them, for the Evidence that it gave last; empty where there are none."""
        ...


class EndorsedDevice:
    """An Attester of the Coordinator on a real TEE.

    Args:
        device: Gives the Evidence.
        endorser: Has Endorsements, from files or servers, as for Marbles.
    """

    def __init__(self, device: EvidenceDevice, endorser: Endorser) -> None:
        self._device = device
        self._endorser = endorser

    def evidence(self, report_data: bytes) -> bytes:
        """Return Evidence over `report_data`, at most 64 bytes."""
        return self._device.evidence(report_data)

    def endorsements(self, evidence: bytes) -> bytes:
        """Return Endorsements for Evidence made here; nothing where nobody has them now.

        A verifier that has its own needs none from here, so lacking them is no failure.
        """
        own = self._device.endorsements() if isinstance(self._device, Endorsed) else b""
        if own:
            return own
        try:
            return self._endorser.collateral_for(parse_evidence(evidence))
        except AttestationError:
            return b""

    @property
    def simulated(self) -> bool:
        """Whether the TEE is simulated: no."""
        return False

    def describe(self) -> str:
        """Return one phrase for people."""
        return self._device.describe()
