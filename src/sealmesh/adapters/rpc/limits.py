"""What the mesh port lets Marbles have."""

from sealmesh.adapters.http.limits import MIB, Limits

#: MarbleRun's (and gRPC's) limit for one message; COMPAT section 5, check 0.
MESSAGE_BYTES = 4 * MIB
#: Compressed-flag and length in front of each message.
PREFIX_BYTES = 5

MESH_LIMITS = Limits(
    body_bytes=MESSAGE_BYTES + PREFIX_BYTES,
    # A Marble activates and hangs up, or renews once in hours on a fresh connection.
    idle_seconds=300.0,
)
