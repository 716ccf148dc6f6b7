"""GPU Evidence: the exchange alone, as NVIDIA's driver gives it, or with the device's certificates.

With them it is in sealmesh's envelope (`attestation.envelope`):

    type    "sealmesh/gpu-measurements/v1"
    spdm    request and response
    chain   PEM, the device's certificate first, the root last
"""

from dataclasses import dataclass

from sealmesh.attestation.envelope import encode_envelope, open_envelope, opens_envelope
from sealmesh.attestation.gpu.measurements import GET_MEASUREMENTS, VERSION, Exchange, parse_exchange
from sealmesh.attestation.gpu.opaque import OpaqueFields, parse_opaque_fields

GPU_MEASUREMENTS = "sealmesh/gpu-measurements/v1"
MAX_EXCHANGE_BYTES = 64 * 1024
MAX_CHAIN_BYTES = 32 * 1024
_SUBJECT = "gpu evidence"
_PREFIX = bytes((VERSION, GET_MEASUREMENTS))


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuEvidence:
    """An exchange with what belongs to it; nothing is verified.

    Attributes:
        exchange: Request and response.
        fields: NVIDIA's fields in it.
        chain: The device's certificates, PEM, or None.
    """

    exchange: Exchange
    fields: OpaqueFields
    chain: bytes | None


def is_gpu_evidence(raw: bytes) -> bool:
    """Return whether the evidence could be this."""
    return raw.startswith(_PREFIX) or opens_envelope(raw, GPU_MEASUREMENTS)


def encode_gpu_evidence(*, exchange: bytes, chain: bytes) -> bytes:
    """Return the envelope around an exchange and the device's certificates (PEM)."""
    return encode_envelope(GPU_MEASUREMENTS, {"spdm": exchange, "chain": chain})


def parse_gpu_evidence(raw: bytes) -> GpuEvidence:
    """Parse an exchange, in its envelope or not.

    Raises:
        EvidenceFormatError: `format:` and `gpu evidence`, `spdm measurements` or `gpu opaque data`.
    """
    spdm, chain = raw, None
    if not raw.startswith(_PREFIX):
        members = frozenset({"spdm", "chain"})
        claims = open_envelope(raw, GPU_MEASUREMENTS, subject=_SUBJECT, members=members)
        spdm = claims.octets("spdm", lengths=range(1, MAX_EXCHANGE_BYTES + 1))
        chain = claims.octets("chain", lengths=range(1, MAX_CHAIN_BYTES + 1))
    exchange = parse_exchange(spdm)
    return GpuEvidence(exchange=exchange, fields=parse_opaque_fields(exchange.opaque), chain=chain)
