"""Read the Coordinator's settings."""

from difflib import get_close_matches

from sealmesh.manifest.model import Config, FeatureGate, SealMode
from sealmesh.manifest.reading.view import Reading, View
from sealmesh.manifest.report import listing, quoted

_GATES = {str(gate).lower(): gate for gate in FeatureGate}
_MODES = {str(mode): mode for mode in SealMode}


def read_config(reading: Reading, view: View) -> Config:
    """Read `Config`."""
    mode = view.text("SealMode")
    if mode not in _MODES:
        reading.report.add(
            "config.unknown-seal-mode",
            view.at("SealMode"),
            f"{quoted(mode)} is not a seal mode.",
            remedy=f"Use one of {listing(_MODES)}, in exactly this case.",
        )
    return Config(
        seal_mode=_MODES.get(mode, SealMode.DEFAULT),
        feature_gates=_gates(reading, view),
        update_threshold=view.unsigned("UpdateThreshold"),
        recovery_threshold=view.unsigned("RecoveryThreshold"),
        rotate_root_secret=view.flag("RotateRootSecret"),
    )


def _gates(reading: Reading, view: View) -> frozenset[FeatureGate]:
    gates = set()
    for index, name in enumerate(view.texts("FeatureGates")):
        path = (*view.at("FeatureGates"), index)
        gate = _GATES.get(name.lower())
        if gate is None:
            close = get_close_matches(name[:100].lower(), _GATES, n=1)
            reading.report.add(
                "gate.unknown",
                path,
                f"{quoted(name)} is not a feature gate.",
                remedy=f"Did you mean {str(_GATES[close[0]])!r}?"
                if close
                else f"Known are {listing(FeatureGate)}.",
            )
            continue
        gates.add(gate)
        if gate is FeatureGate.AZURE_HSM_SEALING:
            reading.report.add(
                "gate.unavailable",
                path,
                "This Coordinator cannot seal with an Azure HSM.",
                remedy="Leave the gate out; the state is then sealed by the platform.",
            )
    return frozenset(gates)
