"""Simulated trust domains: quotes of version 4 from the simulated machine."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA384, Hash

from sealmesh.attestation.dcap.quote import ECDSA_P256, INTEL_QE_VENDOR_ID, TEE_TDX
from sealmesh.attestation.simulated.enclave import XFRM, SimulatedEnclave
from sealmesh.attestation.simulated.endorsements import TD_COMPONENTS
from sealmesh.attestation.simulated.platform import SimulatedPlatform

_VERSION = 4
_SEPT_VE_DISABLE = 1 << 28
_DEBUG = 1 << 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedTd:
    """What a simulated TD says about itself; lengths as in `TdClaims`.

    Attributes:
        attributes: As a number; by default SEPT_VE_DISABLE only.
    """

    mr_td: bytes
    rtmrs: tuple[bytes, bytes, bytes, bytes] = (bytes(48),) * 4
    mr_config_id: bytes = bytes(48)
    mr_owner: bytes = bytes(48)
    mr_owner_config: bytes = bytes(48)
    attributes: int = _SEPT_VE_DISABLE
    xfam: bytes = XFRM
    tee_tcb_svn: bytes = bytes(TD_COMPONENTS)
    mr_seam: bytes = bytes(48)

    @classmethod
    def of(cls, enclave: SimulatedEnclave) -> "SimulatedTd":
        """Return the TD that runs this program: firmware in MRTD, program in RTMR2, signer in MROWNER."""
        return cls(
            mr_td=sha384(b"sealmesh simulated TD firmware"),
            rtmrs=(bytes(48), bytes(48), sha384(enclave.unique_id), bytes(48)),
            mr_owner=sha384(enclave.signer_id),
            attributes=_SEPT_VE_DISABLE | (_DEBUG if enclave.debug else 0),
        )


def sha384(data: bytes) -> bytes:
    """Return a digest of 48 bytes."""
    digest = Hash(SHA384())
    digest.update(data)
    return digest.finalize()


def td_quote(platform: SimulatedPlatform, td: SimulatedTd, report_data: bytes) -> bytes:
    """Return a quote of version 4 of `td` over `report_data` (64 bytes)."""
    if len(report_data) != 64:
        raise ValueError("report data is 64 bytes")
    header = b"".join(
        (
            _VERSION.to_bytes(2, "little"),
            ECDSA_P256.to_bytes(2, "little"),
            TEE_TDX.to_bytes(4, "little"),
            bytes(4),
            INTEL_QE_VENDOR_ID,
            bytes(20),
        )
    )
    signed = header + _body(td, report_data)
    signature = platform.nested_signature_data(signed)
    return signed + len(signature).to_bytes(4, "little") + signature


def _body(td: SimulatedTd, report_data: bytes) -> bytes:
    return b"".join(
        (
            td.tee_tcb_svn,
            td.mr_seam,
            bytes(48),
            bytes(8),
            td.attributes.to_bytes(8, "little"),
            td.xfam,
            td.mr_td,
            td.mr_config_id,
            td.mr_owner,
            td.mr_owner_config,
            *td.rtmrs,
            report_data,
        )
    )
