"""The mesh port: gRPC, unary, over our own HTTP/2 listener; and stubs for clients."""

from sealmesh.adapters.grpc.limits import MESH_LIMITS
from sealmesh.adapters.grpc.server import MeshServer, MeshTransport

__all__ = ["MESH_LIMITS", "MeshServer", "MeshTransport"]
