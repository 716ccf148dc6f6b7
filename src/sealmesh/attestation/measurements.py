"""The claims that say which software ran, under the Manifest's names: for ledgers and logs."""

from typing import assert_never

from sealmesh.attestation.azure import AzureClaims
from sealmesh.attestation.cca import CcaClaims
from sealmesh.attestation.evidence import SingleClaims
from sealmesh.attestation.gpu import GpuClaims
from sealmesh.attestation.nitro import NitroClaims
from sealmesh.attestation.sgx import EnclaveClaims
from sealmesh.attestation.snp import SnpClaims
from sealmesh.attestation.tdx import TdClaims
from sealmesh.attestation.tpm import TpmClaims

_SECURED = 0x30


def measurements_of(claims: SingleClaims) -> dict[str, str | int | bool]:
    """Return what identifies the software, flat and printable. Nothing in it is secret."""
    match claims:
        case EnclaveClaims():
            return {"unique_id": claims.mr_enclave.hex(), "signer_id": claims.mr_signer.hex()}
        case TdClaims():
            rtmrs = {f"rtmr{index}": value.hex() for index, value in enumerate(claims.rtmrs)}
            return {"mr_td": claims.mr_td.hex(), **rtmrs, "debug": claims.debug}
        case SnpClaims():
            return {
                "measurement": claims.measurement.hex(),
                "id_key_digest": claims.id_key_digest.hex(),
                "product": claims.product,
                "vmpl": claims.vmpl,
                "debug": claims.debug,
            }
        case NitroClaims():
            measured = {f"pcr{index}": value.hex() for index, value in claims.pcrs.items() if any(value)}
            return {**measured, "debug": claims.debug}
        case TpmClaims():
            return {
                f"{bank.name.lower()}_pcr{index}": value.hex()
                for bank, values in claims.pcrs.items()
                for index, value in values.items()
            }
        case AzureClaims():
            guest = {f"paravisor_{name}": value for name, value in measurements_of(claims.guest).items()}
            return {**guest, **{f"pcr{i}": v.hex() for pcrs in claims.pcrs.values() for i, v in pcrs.items()}}
        case CcaClaims():
            rems = {f"rem{index}": value.hex() for index, value in enumerate(claims.rem)}
            return {"rim": claims.rim.hex(), **rems, "lifecycle": claims.lifecycle}
        case GpuClaims():
            return {"device": claims.device, "driver": claims.driver, "vbios": claims.vbios}
    assert_never(claims)


def runs_in_debug(claims: SingleClaims) -> bool:
    """Return whether the TEE says that its host can read its memory. A TPM or GPU says nothing of that."""
    match claims:
        case EnclaveClaims() | TdClaims() | SnpClaims() | NitroClaims():
            return claims.debug
        case AzureClaims():
            return claims.guest.debug
        case CcaClaims():
            return claims.lifecycle >> 8 != _SECURED
        case TpmClaims() | GpuClaims():
            return False
    assert_never(claims)
