"""The Attester: who gives Evidence of this process.

One port, `Attester`: the simulated platform, with its directory (`platform`) and the packages it measures
(`package`). A Marble needs less of it, `EvidenceDevice`: that of real TEEs too (`device`).
"""

from sealmesh.adapters.attester.port import Attester
from sealmesh.adapters.attester.simulated import SimulatedAttester

__all__ = ["Attester", "SimulatedAttester"]
