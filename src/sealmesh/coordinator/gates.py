"""Feature gates: what the manifest has to switch on."""

from collections.abc import Mapping
from types import MappingProxyType

from sealmesh.coordinator.phase import Act
from sealmesh.coordinator.state import State
from sealmesh.errors.coordinator import GateClosed
from sealmesh.manifest import FeatureGate

GATES: Mapping[Act, FeatureGate] = MappingProxyType(
    {
        Act.COUNT: FeatureGate.MONOTONIC_COUNTER,
        Act.SIGN_QUOTE: FeatureGate.SIGN_QUOTE_ENDPOINT,
        Act.APPROVE: FeatureGate.GOVERNANCE,
    }
)


def check_gate(act: Act, state: State) -> None:
    """Accept `act` if it needs no gate, or the manifest in force opens it.

    Raises:
        GateClosed: It needs one that is not open, also when there is no manifest.
    """
    gate = GATES.get(act)
    if gate is None:
        return
    if state.in_force is None or gate not in state.in_force.manifest.config.feature_gates:
        raise GateClosed(
            f"the manifest does not allow to {act.value}",
            wanted=f"the feature gate `{gate.value}`",
            remedy=f"Add `{gate.value}` to Config.FeatureGates by a manifest update.",
        )
