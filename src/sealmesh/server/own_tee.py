"""The TEE that the Coordinator itself runs in: who makes its Evidence, and which keys it has to seal with."""

from dataclasses import dataclass

from sealmesh.adapters.attester import SimulatedAttester
from sealmesh.adapters.attester.choice import SimulatedChoice
from sealmesh.adapters.attester.device import EvidenceDevice, open_device
from sealmesh.adapters.attester.device_choice import RealChoice
from sealmesh.adapters.attester.endorsed import EndorsedDevice
from sealmesh.adapters.attester.gramine import GramineAttester
from sealmesh.adapters.attester.package import coordinator_package
from sealmesh.adapters.attester.platform import PlatformDirectory
from sealmesh.adapters.attester.sev_guest import SevGuestAttester
from sealmesh.adapters.attester.tpm import TpmAttester
from sealmesh.adapters.attester.tsm import TsmAttester
from sealmesh.adapters.clock import system_entropy
from sealmesh.adapters.log import logger
from sealmesh.adapters.sealer import GramineKeys, NoKeys, PlatformKeys, SealingKeys, SnpKeys
from sealmesh.adapters.sealer.tpm import TpmKeys
from sealmesh.adapters.sev_guest import DEVICE
from sealmesh.attestation import needs_endorsements, parse_evidence
from sealmesh.coordinator.ports import Attester, Endorser


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTee:
    """What the TEE does for the Coordinator in it.

    Attributes:
        keys: For `--sealer platform`.
    """

    attester: Attester
    keys: SealingKeys


def simulated_tee(choice: SimulatedChoice, platform: PlatformDirectory) -> OwnTee:
    """Return the simulated one; its keys are the same whichever TEE it pretends to be.

    Raises:
        AttestationError: The platform directory cannot be used.
    """
    attester = SimulatedAttester(platform.path, coordinator_package(platform), family=choice.family)
    about = attester.describe().split(",", 1)[0]
    keys = PlatformKeys(attester.seal_key, security_version=attester.security_version, about=f"the {about}")
    return OwnTee(attester=attester, keys=keys)


def real_tee(choice: RealChoice, endorser: Endorser) -> OwnTee:
    """Return the real one, which has given Evidence once: a Coordinator without does not start.

    Raises:
        PlatformError: It is not there, or gives no Evidence.
        EvidenceFormatError: What it gives is none.
        TpmError: The library for TPMs is not there.
    """
    device = open_device(choice)
    attester = EndorsedDevice(device, endorser)
    evidence = attester.evidence(b"")
    if needs_endorsements(parse_evidence(evidence)) and not attester.endorsements(evidence):
        logger().warning(
            "there are no Endorsements for this Coordinator's Evidence: who verifies it needs them",
            remedy="Name files with --collateral (SEALMESH_COLLATERAL), or a server with --endorser.",
        )
    return OwnTee(attester=attester, keys=_keys(device))


def _keys(device: EvidenceDevice) -> SealingKeys:
    """Return the keys that come from where the Evidence comes from."""
    match device:
        case GramineAttester():
            return GramineKeys(device.directory / "keys")
        case SevGuestAttester():
            return SnpKeys(device.device)
        case TsmAttester() if DEVICE.exists():
            return SnpKeys()
        case TpmAttester():
            pcrs = f"sha256:{','.join(map(str, device.pcrs))}"
            return TpmKeys(device.tpm, pcrs=pcrs, entropy=system_entropy)
    return NoKeys(device.describe())
