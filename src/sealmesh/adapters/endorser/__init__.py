"""The Endorser: who has the collateral for some Evidence.

One port, `Endorser`; implementations: files, the simulated platform's directory, Intel's and AMD's servers
(`item_cache` keeps what they publish), and several in turn.
"""

from sealmesh.adapters.endorser.amd import AmdEndorser
from sealmesh.adapters.endorser.bundle import BundleEndorser
from sealmesh.adapters.endorser.family_files import FamilyFilesEndorser
from sealmesh.adapters.endorser.intel import IntelEndorser
from sealmesh.adapters.endorser.several import SeveralEndorsers
from sealmesh.adapters.endorser.simulated import SimulatedEndorser
from sealmesh.coordinator.ports import Endorser

__all__ = [
    "AmdEndorser",
    "BundleEndorser",
    "Endorser",
    "FamilyFilesEndorser",
    "IntelEndorser",
    "SeveralEndorsers",
    "SimulatedEndorser",
]
