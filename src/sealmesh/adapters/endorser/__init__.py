"""The Endorser: who has the collateral for some Evidence.

One port, `Endorser`; implementations: files, the simulated platform's directory, and several in turn.
"""

from sealmesh.adapters.endorser.bundle import BundleEndorser
from sealmesh.adapters.endorser.family_files import FamilyFilesEndorser
from sealmesh.adapters.endorser.several import SeveralEndorsers
from sealmesh.adapters.endorser.simulated import SimulatedEndorser
from sealmesh.coordinator.ports import Endorser

__all__ = ["BundleEndorser", "Endorser", "FamilyFilesEndorser", "SeveralEndorsers", "SimulatedEndorser"]
