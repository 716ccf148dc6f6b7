"""What the client port lets users have."""

from sealmesh.adapters.http.limits import KIB, MIB, Limits

CLIENT_LIMITS = Limits(
    # The contract has no limit; a manifest of 3 MB is known to be in use. Sixteen times that, in base64.
    body_bytes=64 * MIB,
    # Headers of browsers and proxies carry cookies and traces.
    header_bytes=32 * KIB,
    # People use slow lines for large manifests.
    request_seconds=120.0,
    connections=2048,
    # Browsers and scripts come back within seconds or not at all.
    idle_seconds=120.0,
)
