"""Writing the SGX extension of a simulated platform's PCK certificate."""

from asn1crypto import core
from cryptography import x509

from sealmesh.attestation.dcap.pck import SGX_EXTENSION, PckEntries, PckPlatform

_OID = SGX_EXTENSION.dotted_string


def encode_pck_extension(platform: PckPlatform, *, instance_id: bytes) -> x509.UnrecognizedExtension:
    """Return the extension for a scalable platform; `instance_id` is 16 bytes."""
    tcb = {f"{_OID}.2.{n}": core.Integer(svn) for n, svn in enumerate(platform.components, start=1)}
    tcb[f"{_OID}.2.17"] = core.Integer(platform.pce_svn)
    tcb[f"{_OID}.2.18"] = core.OctetString(platform.cpu_svn)
    configuration = {f"{_OID}.7.{n}": core.Boolean(False) for n in (1, 2, 3)}
    value = _entries(
        {
            f"{_OID}.1": core.OctetString(platform.ppid),
            f"{_OID}.2": _entries(tcb),
            f"{_OID}.3": core.OctetString(platform.pce_id),
            f"{_OID}.4": core.OctetString(platform.fmspc),
            f"{_OID}.5": core.Enumerated.load(bytes((0x0A, 1, platform.sgx_type))),
            f"{_OID}.6": core.OctetString(instance_id),
            f"{_OID}.7": _entries(configuration),
        }
    )
    return x509.UnrecognizedExtension(SGX_EXTENSION, value.dump())


def _entries(values: dict[str, core.Asn1Value]) -> PckEntries:
    return PckEntries([{"id": oid, "value": core.Any(value)} for oid, value in values.items()])
