"""Evidence as the manifest entry that would accept it: `Packages.*.Evidence`.

Works on Evidence that is not verified; whether to believe it is for whoever asks. Values that change from
start to start (report data, nonces, identifiers of one machine) are left out. Names as in the manifest.
"""

from collections.abc import Mapping, Sequence
from typing import assert_never

from sealmesh.attestation.azure import AzureEvidence
from sealmesh.attestation.cca import CcaToken
from sealmesh.attestation.evidence import CompositeEvidence, UnverifiedEvidence
from sealmesh.attestation.gpu import GpuEvidence
from sealmesh.attestation.gpu.opaque import Field
from sealmesh.attestation.nitro import NitroDocument
from sealmesh.attestation.sgx import SgxQuote
from sealmesh.attestation.snp import SnpReport
from sealmesh.attestation.snp.tcb import Generation, read_tcb
from sealmesh.attestation.snp.verify import generation_of
from sealmesh.attestation.tdx import TdQuote
from sealmesh.attestation.tpm import Bank, TpmEvidence

Json = str | int | bool | Sequence["Json"] | Mapping[str, "Json"]
Form = dict[str, Json]

_SEPT_VE_DISABLE = 1 << 28
_SNP_DEBUG, _SNP_MIGRATE_MA = 1 << 19, 1 << 18
_SECURED = 0x30


def accepting_form(evidence: UnverifiedEvidence) -> Form:
    """Return the entry of a package's `Evidence` list that accepts this Evidence, if it is genuine."""
    match evidence.quote:
        case SgxQuote() as quote:
            return {"SGX": _sgx(quote)}
        case TdQuote() as quote:
            return {"TDX": _tdx(quote)}
        case SnpReport() as report:
            return {"SNP": _snp(report)}
        case NitroDocument() as document:
            return {"Nitro": _nitro(document)}
        case CcaToken() as token:
            return {"CCA": _cca(token)}
        case TpmEvidence() as quote:
            return {"TPM": _tpm(quote)}
        case AzureEvidence() as document:
            return {"Azure": _azure(document)}
        case GpuEvidence() as exchange:
            return {"GPU": _gpu(exchange)}
        case CompositeEvidence() as composite:
            return {"AllOf": [accepting_form(part) for part in composite.parts]}
    assert_never(evidence.quote)


def _sgx(quote: SgxQuote) -> Form:
    return {"UniqueID": quote.report.mr_enclave.hex(), **_debug(quote.report.debug)}


def _tdx(quote: TdQuote) -> Form:
    report = quote.report
    attributes = int.from_bytes(report.td_attributes, "little")
    form: Form = {"MRTD": report.mr_td.hex()}
    form |= {f"RTMR{n}": value.hex() for n, value in enumerate(report.rtmrs) if any(value)}
    if report.mr_service_td is not None and any(report.mr_service_td):
        form["MRServiceTD"] = report.mr_service_td.hex()
    if not attributes & _SEPT_VE_DISABLE:
        form["AllowVE"] = True
    return {**form, **_debug(bool(attributes & 1))}


def _snp(report: SnpReport) -> Form:
    form: Form = {"Measurement": report.measurement.hex()}
    if any(report.id_key_digest):
        form["IDKeyDigest"] = report.id_key_digest.hex()
    if report.vmpl:
        form["VMPL"] = report.vmpl
    known = report.cpuid and generation_of(*report.cpuid[:2])
    tcb = read_tcb(report.reported_tcb, known or Generation.MILAN)
    form["MinimumTCB"] = dict(tcb.parts())
    if report.policy & _SNP_MIGRATE_MA:
        form["MigrationAgent"] = True
    return {**form, **_debug(bool(report.policy & _SNP_DEBUG))}


def _nitro(document: NitroDocument) -> Form:
    wanted = {str(n): document.pcrs[n].hex() for n in (0, 1, 2, 8) if any(document.pcrs.get(n, b""))}
    return {"PCRs": wanted, **_debug(not any(any(document.pcrs.get(n, b"")) for n in (0, 1, 2)))}


def _cca(token: CcaToken) -> Form:
    form: Form = {"RIM": token.realm.rim.hex()}
    form |= {f"REM{n}": value.hex() for n, value in enumerate(token.realm.rems) if any(value)}
    form["ImplementationIDs"] = [token.platform.implementation_id.hex()]
    form["Firmware"] = sorted({part.measurement.hex() for part in token.platform.software_components})
    return {**form, **_debug(token.platform.lifecycle >> 8 != _SECURED)}


def _tpm(quote: TpmEvidence) -> Form:
    bank = next((bank for bank in (Bank.SHA256, Bank.SHA384, Bank.SHA512) if bank in quote.pcrs), None)
    if bank is None:
        return {"PCRs": {}}
    named: Form = {} if bank is Bank.SHA256 else {"Bank": bank.name}
    return {**named, "PCRs": _registers(quote.pcrs[bank])}


def _azure(document: AzureEvidence) -> Form:
    below = document.guest
    paravisor: Form = {"SNP": _snp(below)} if isinstance(below, SnpReport) else {"TDX": _tdx(below)}
    secure_boot = document.hcl.claims.vm_configuration.get("secure-boot") is True
    booted: Form = {"SecureBoot": True} if secure_boot else {}
    return {**paravisor, "PCRs": _registers(document.pcrs[Bank.SHA256]), **booted}


def _gpu(evidence: GpuEvidence) -> Form:
    fields = evidence.fields
    form: Form = {}
    if fields.text(Field.DRIVER_VERSION):
        form["Drivers"] = [fields.text(Field.DRIVER_VERSION)]
    if fields.vbios:
        form["VBIOSes"] = [fields.vbios]
    flag = fields.values.get(Field.FEATURE_FLAG)
    if flag is not None:
        form["Mode"] = int.from_bytes(flag, "little")
    measured = evidence.exchange.measurements
    return {
        **form,
        "Measurements": {str(index): [one.value.hex()] for index, one in sorted(measured.items())},
    }


def _registers(pcrs: Mapping[int, bytes]) -> Form:
    """Return the registers that were extended: not those of all zeros or ones."""
    return {
        str(n): value.hex() for n, value in sorted(pcrs.items()) if set(value) - {0} and set(value) - {255}
    }


def _debug(debug: bool) -> Form:
    return {"Debug": True} if debug else {}
