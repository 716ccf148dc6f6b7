"""The Attester: who gives Evidence of this process.

One port, `Attester`; one implementation per platform. Here: the simulated SGX platform, with its
directory (`platform`) and the packages it measures (`package`).
"""

from sealmesh.adapters.attester.port import Attester
from sealmesh.adapters.attester.simulated import SimulatedAttester

__all__ = ["Attester", "SimulatedAttester"]
