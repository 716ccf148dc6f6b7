"""The SGX extension of a PCK certificate: which platform it is, and at which security version.

Source: Intel SGX PCK Certificate and Certificate Revocation List Profile Specification, "SGX Extensions",
OID 1.2.840.113741.1.13.1.
"""

from dataclasses import dataclass

from asn1crypto import core
from cryptography import x509

from sealmesh.attestation.dcap.certificates import Role, parse_chain
from sealmesh.attestation.dcap.collateral import UnverifiedCollateral
from sealmesh.attestation.dcap.signature_data import KeyCertification
from sealmesh.errors.attestation import EndorsementFormatError, VerificationError

SGX_EXTENSION = x509.ObjectIdentifier("1.2.840.113741.1.13.1")
_OID = SGX_EXTENSION.dotted_string
_MAX_EXTENSION_BYTES = 4096
_SGX_TYPES = (0, 1, 2)  # standard, scalable, scalable with integrity


class PckEntry(core.Sequence):  # type: ignore[misc]
    """One OID with its value, as the extension nests them."""

    _fields = [("id", core.ObjectIdentifier), ("value", core.Any)]  # noqa: RUF012


class PckEntries(core.SequenceOf):  # type: ignore[misc]
    """A list of OIDs with values."""

    _child_spec = PckEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class PckPlatform:
    """The platform that a PCK certificate stands for.

    Attributes:
        fmspc: Family, model, stepping, platform and custom SKU; 6 bytes.
        pce_id: 2 bytes.
        ppid: Platform provisioning ID, 16 bytes: the same for this platform in all its certificates.
        cpu_svn: 16 bytes, raw.
        components: The 16 component security versions, as TCB levels count them.
        pce_svn: Security version of the provisioning certification enclave.
        sgx_type: 0 standard, 1 scalable, 2 scalable with integrity.
    """

    fmspc: bytes
    pce_id: bytes
    ppid: bytes
    cpu_svn: bytes
    components: tuple[int, ...]
    pce_svn: int
    sgx_type: int


def parse_pck_platform(extensions: x509.Extensions) -> PckPlatform:
    """Return the platform named in the extensions of a PCK certificate.

    Raises:
        VerificationError: `profile:pck`, the extension is missing or not as the profile has it.
    """
    try:
        extension = extensions.get_extension_for_oid(SGX_EXTENSION).value
        if not isinstance(extension, x509.UnrecognizedExtension):
            raise ValueError("unexpected type of extension")
        return _parse(extension.value)
    except (ValueError, TypeError, KeyError, x509.ExtensionNotFound) as error:
        raise VerificationError(
            f"the PCK certificate's SGX extension is not as its profile has it: {error}", code="profile:pck"
        ) from error


def unverified_platform(pck_chain: bytes) -> PckPlatform:
    """Return the platform that a PCK chain claims, to find collateral for it. Do not believe it.

    Raises:
        EndorsementFormatError: The chain cannot be read.
        VerificationError: `profile:pck`, as in `parse_pck_platform`.
    """
    pck, _, _ = parse_chain(pck_chain, Role.PCK, Role.CA, Role.ROOT)
    return parse_pck_platform(pck.extensions)


def pck_chain_of(certification: KeyCertification, collateral: UnverifiedCollateral | None) -> bytes:
    """Return the PCK chain for a quote's certification: its own, else the collateral's. Nothing is verified.

    That it is of the platform that made the quote shows when its key has signed the QE report.

    Raises:
        EndorsementFormatError: `format:pck chain`, neither has one.
    """
    fetched = None if collateral is None else collateral.pck_certificate_chain
    chain = fetched if certification.pck_chain is None else certification.pck_chain
    if chain is None:
        kind = None if certification.pck_name is None else certification.pck_name.kind
        raise EndorsementFormatError(
            "the quote names its PCK certificate instead of carrying it, and the collateral has none",
            code="format:pck chain",
            found=f"certification data of type {kind}",
            wanted="a PCK chain in the quote (type 5), or pck_certificate_chain in the collateral",
            remedy="Fetch the collateral of this very quote (sealmesh collateral fetch), or name a server in "
            "--endorser.",
        )
    return chain


def _parse(raw: bytes) -> PckPlatform:
    if len(raw) > _MAX_EXTENSION_BYTES:
        raise ValueError("too long")
    fields = _entries(PckEntries.load(raw, strict=True))
    tcb = _entries(fields[f"{_OID}.2"].parse(PckEntries))
    sgx_type = _integer(fields[f"{_OID}.5"], core.Enumerated, 0xFF)
    if sgx_type not in _SGX_TYPES:
        raise ValueError(f"SGX type {sgx_type}")
    return PckPlatform(
        fmspc=_octets(fields[f"{_OID}.4"], 6),
        pce_id=_octets(fields[f"{_OID}.3"], 2),
        ppid=_octets(fields[f"{_OID}.1"], 16),
        cpu_svn=_octets(tcb[f"{_OID}.2.18"], 16),
        components=tuple(_integer(tcb[f"{_OID}.2.{n}"], core.Integer, 0xFF) for n in range(1, 17)),
        pce_svn=_integer(tcb[f"{_OID}.2.17"], core.Integer, 0xFFFF),
        sgx_type=sgx_type,
    )


def _entries(sequence: PckEntries) -> dict[str, core.Any]:
    entries: dict[str, core.Any] = {}
    for entry in sequence:
        oid = entry["id"].dotted
        if oid in entries:
            raise ValueError(f"{oid} stands twice")
        entries[oid] = entry["value"]
    return entries


def _octets(value: core.Any, length: int) -> bytes:
    octets = bytes(value.parse(core.OctetString).native)
    if len(octets) != length:
        raise ValueError(f"{len(octets)} bytes where {length} belong")
    return octets


def _integer(value: core.Any, spec: type[core.Integer], maximum: int) -> int:
    number = int.from_bytes(value.parse(spec).contents, "big", signed=True)
    if not 0 <= number <= maximum:
        raise ValueError(f"{number} is out of range")
    return number
