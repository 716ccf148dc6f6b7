"""The client port: MarbleRun's REST API v1 and v2, and our own, over the HTTP listener."""

from sealmesh.adapters.rest.application import RestApplication
from sealmesh.adapters.rest.limits import CLIENT_LIMITS
from sealmesh.adapters.rest.server import ClientServer

__all__ = ["CLIENT_LIMITS", "ClientServer", "RestApplication"]
