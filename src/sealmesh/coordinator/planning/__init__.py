"""What an update would do, before anybody agrees to it.

Pure: two manifests in, a `Plan` out, by the same rules that apply updates. What only the Coordinator knows
(how often a Marble was activated, which secrets were uploaded) is named as a condition, not guessed.
"""

from sealmesh.coordinator.planning.consent import Consents
from sealmesh.coordinator.planning.document import plan_document
from sealmesh.coordinator.planning.obstacles import Obstacle
from sealmesh.coordinator.planning.plan import Plan, RuleChange, plan_update

__all__ = ["Consents", "Obstacle", "Plan", "RuleChange", "plan_document", "plan_update"]
