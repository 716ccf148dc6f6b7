"""Calls to the Coordinator's mesh port: MarbleRun's over gRPC, ours over Connect."""

from sealmesh.marble.mesh_port.mesh_call import Answer, ClientIdentity, call

__all__ = ["Answer", "ClientIdentity", "call"]
