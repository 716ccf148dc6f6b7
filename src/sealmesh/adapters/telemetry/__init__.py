"""Metrics and events of a Coordinator process (COMPAT section 12), over plain HTTP on their own address.

What is counted comes from wrappers around the two ports' applications and around the Coordinator; neither
knows of it. No label has a value that a peer can make up without bound, and nothing here holds a secret.
"""

from sealmesh.adapters.telemetry.server import TELEMETRY_LIMITS, TelemetryServer
from sealmesh.adapters.telemetry.siblings import Siblings
from sealmesh.adapters.telemetry.telemetry import Telemetry

__all__ = ["TELEMETRY_LIMITS", "Siblings", "Telemetry", "TelemetryServer"]
