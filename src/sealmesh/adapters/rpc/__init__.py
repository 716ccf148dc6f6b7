"""The mesh port: unary remote calls over our own HTTP listener."""

from sealmesh.adapters.rpc.limits import MESH_LIMITS
from sealmesh.adapters.rpc.server import MeshServer, MeshTransport

__all__ = ["MESH_LIMITS", "MeshServer", "MeshTransport"]
