"""Claims of every family, spelled as cases.json spells them."""

from typing import Any

from sealmesh.attestation import (
    AzureClaims,
    CcaClaims,
    Claims,
    EnclaveClaims,
    GpuClaims,
    NitroClaims,
    SnpClaims,
    TdClaims,
    TpmClaims,
)


def spell(claims: Claims) -> dict[str, Any]:
    match claims:
        case EnclaveClaims():
            return _enclave(claims)
        case TdClaims():
            return _td(claims)
        case SnpClaims():
            return _snp(claims)
        case NitroClaims():
            return _nitro(claims)
        case CcaClaims():
            return _cca(claims)
        case TpmClaims():
            return _tpm(claims)
        case AzureClaims():
            return _azure(claims)
        case GpuClaims():
            return _gpu(claims)


def _enclave(claims: EnclaveClaims) -> dict[str, Any]:
    return {
        "fmspc": claims.fmspc.hex().upper(),
        "mrenclave": claims.mr_enclave.hex(),
        "mrsigner": claims.mr_signer.hex(),
        "isvprodid": claims.isv_prod_id,
        "isvsvn": claims.isv_svn,
        "debug": claims.debug,
        "attributes": claims.attributes.hex(),
        "report_data": claims.report_data.hex(),
    }


def _td(claims: TdClaims) -> dict[str, Any]:
    service_td = claims.mr_service_td
    return {
        "fmspc": claims.fmspc.hex().upper(),
        "mrtd": claims.mr_td.hex(),
        "rtmr": [register.hex() for register in claims.rtmrs],
        "report_data": claims.report_data.hex(),
        "debug": claims.debug,
        "td_attributes": claims.td_attributes.hex(),
        "tee_tcb_svn": claims.tee_tcb_svn.hex(),
        "mrseam": claims.mr_seam.hex(),
        "mrconfigid": claims.mr_config_id.hex(),
        **({} if service_td is None else {"mr_service_td": service_td.hex()}),
    }


def _snp(claims: SnpClaims) -> dict[str, Any]:
    return {
        "version": claims.version,
        "product": claims.product,
        "signing_key": claims.signing_key,
        "vmpl": claims.vmpl,
        "debug": claims.debug,
        "migrate_ma": claims.migrate_ma,
        "smt": claims.smt,
        "guest_svn": claims.guest_svn,
        "policy": hex(claims.policy),
        "measurement": claims.measurement.hex(),
        "report_data": claims.report_data.hex(),
        "host_data": claims.host_data.hex(),
        "id_key_digest": claims.id_key_digest.hex(),
        "chip_id": claims.chip_id.hex(),
        "reported_tcb": claims.reported_tcb.parts(),
        "platform_info": hex(claims.platform_info),
    }


def _nitro(claims: NitroClaims) -> dict[str, Any]:
    return {
        "module_id": claims.module_id,
        "timestamp": claims.timestamp,
        "pcrs": {str(index): value.hex() for index, value in claims.pcrs.items() if any(value)},
        "debug": claims.debug,
        "user_data": claims.user_data.hex(),
        "nonce": claims.nonce.hex(),
        "public_key": claims.public_key.hex(),
    }


def _cca(claims: CcaClaims) -> dict[str, Any]:
    return {
        "profile": claims.profile,
        "implementation_id": claims.implementation_id.hex(),
        "instance_id": claims.instance_id.hex(),
        "lifecycle": claims.lifecycle,
        "config": claims.config.hex(),
        "sw_components": len(claims.sw_components),
        "realm_challenge": claims.realm_challenge.hex(),
        "rim": claims.rim.hex(),
        "rem": [measurement.hex() for measurement in claims.rem],
        "personalization": claims.personalization.hex(),
        "hash_alg": claims.hash_alg,
    }


def _tpm(claims: TpmClaims) -> dict[str, Any]:
    return {
        "alg": claims.scheme.name.lower(),
        "nonce": claims.nonce.hex(),
        "selection": [[hex(bank), list(indices)] for bank, indices in claims.selection],
        "reset_count": claims.clock.reset_count,
        "restart_count": claims.clock.restart_count,
        "safe": int(claims.clock.safe),
        "firmware": hex(claims.firmware),
    }


def _azure(claims: AzureClaims) -> dict[str, Any]:
    (values,) = claims.pcrs.values()
    vm = {
        "nonce": claims.nonce.hex(),
        "pcrs": {str(index): value.hex() for index, value in values.items()},
        "vm_configuration": dict(claims.vm_configuration),
    }
    if isinstance(claims.guest, TdClaims):
        td = _td(claims.guest)
        return {**vm, "kind": "tdx", **{name: td[name] for name in ("mrtd", "td_attributes", "fmspc")}}
    snp = _snp(claims.guest)
    names = ("product", "measurement", "debug", "reported_tcb")
    return {**vm, "kind": "snp", **{name: snp[name] for name in names}, "report_version": snp["version"]}


def _gpu(claims: GpuClaims) -> dict[str, Any]:
    return {
        "nonce": claims.nonce.hex(),
        "driver": claims.driver,
        "vbios_raw": claims.fields.values.get(6, b"").hex(),
        "measurements": len(claims.measurements),
        "leaf": claims.device[:60],
    }
