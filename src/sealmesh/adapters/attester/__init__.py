"""The Attester: who gives Evidence of this process.

Who it is, an operator says (`choice`): the simulated platform (`simulated`), with its directory (`platform`)
and the packages it measures (`package`), or a real TEE (`device`). Marbles need an `EvidenceDevice`; the
Coordinator shows Endorsements too (`endorsed`).
"""

from sealmesh.adapters.attester.simulated import SimulatedAttester

__all__ = ["SimulatedAttester"]
