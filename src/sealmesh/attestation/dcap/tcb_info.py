"""TCB info: the security versions a platform of one kind can have, and what each is worth.

Source: Intel PCS API, "Get TCB Info": TCB info model version 2 (API v3, SGX only) and version 3
(API v4, SGX and TDX), with the procedure "TCB level: how to determine the status".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import ge

from sealmesh.attestation.dcap.documents import Document, load_json
from sealmesh.attestation.family import Family
from sealmesh.attestation.tcb import TcbStatus
from sealmesh.attestation.validity import Validity
from sealmesh.errors.attestation import VerificationError

COMPONENTS = 16
_SUBJECT = "tcb_info"
_MAX_SVN = 0xFFFF
_IDS = {Family.SGX: "SGX", Family.TDX: "TDX"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TcbLevel:
    """One level: the security versions that a platform needs at least.

    Attributes:
        components: 16 SGX component security versions.
        pce_svn: Security version of the provisioning certification enclave.
        tdx_components: 16 TDX component security versions; None in documents for SGX.
    """

    components: tuple[int, ...]
    pce_svn: int
    tdx_components: tuple[int, ...] | None
    status: TcbStatus
    advisories: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IsvLevel:
    """A level that depends on one security version only (quoting enclave, TDX module)."""

    isv_svn: int
    status: TcbStatus
    advisories: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TdxModule:
    """What the TDX module of a platform must be.

    Attributes:
        id: `TDX_<major version>`, or empty for the module of version 0 and of TDX 1.0 alone.
        mr_signer: 48 bytes.
        attributes: 8 bytes that SEAM attributes must equal under `attributes_mask`.
        levels: Its security versions, highest first; empty for the module of version 0.
    """

    id: str
    mr_signer: bytes
    attributes: bytes
    attributes_mask: bytes
    levels: tuple[IsvLevel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TcbInfo:
    """A TCB info document. Levels stand in the vendor's order, highest first.

    `evaluation_number` counts the vendor's reassessments of all platforms; None where the document has none.
    """

    family: Family
    version: int
    validity: Validity
    fmspc: bytes
    pce_id: bytes
    evaluation_number: int | None
    levels: tuple[TcbLevel, ...]
    tdx_module: TdxModule | None
    tdx_module_identities: tuple[TdxModule, ...]


def parse_tcb_info(text: bytes) -> TcbInfo:
    """Parse a TCB info document whose signature was already verified.

    Raises:
        EndorsementFormatError: `format:tcb_info`.
        VerificationError: `tcb_info:version` or `tcb_info:id`, a kind that is not known.
    """
    document = Document(load_json(text, subject=_SUBJECT), subject=_SUBJECT)
    version = document.integer("version", most=_MAX_SVN)
    if version not in (2, 3):
        raise VerificationError("unknown version of TCB info", code="tcb_info:version", found=version)
    family = _family(document.string("id")) if version == 3 else Family.SGX
    if document.integer("tcbType", most=_MAX_SVN) != 0:
        raise VerificationError("unknown type of TCB", code="tcb_info:tcb type", wanted="0")
    is_tdx = family is Family.TDX
    identities = document.documents("tdxModuleIdentities") if "tdxModuleIdentities" in document else ()
    return TcbInfo(
        family=family,
        version=version,
        validity=document.validity(),
        fmspc=document.octets("fmspc", 6),
        pce_id=document.octets("pceId", 2),
        evaluation_number=document.evaluation_number(),
        levels=tuple(_level(level, version, is_tdx) for level in document.documents("tcbLevels")),
        tdx_module=_module(document.document("tdxModule"), identity=False) if is_tdx else None,
        tdx_module_identities=tuple(_module(module, identity=True) for module in identities),
    )


def match_tcb_level(
    levels: Sequence[TcbLevel],
    *,
    components: Sequence[int],
    pce_svn: int,
    tdx_components: Sequence[int] | None = None,
    tdx_from: int = 0,
) -> TcbLevel | None:
    """Return the first level that the platform reaches in every component, or None.

    Args:
        levels: In the vendor's order, highest first.
        components: The 16 SGX component versions of the PCK certificate.
        pce_svn: The PCESVN of the PCK certificate.
        tdx_components: The 16 bytes of TEE_TCB_SVN, for a TD.
        tdx_from: The first TDX component that counts (2 where the TDX module is judged by its
            own identity, PCS API v4).
    """
    for level in levels:
        if not _reaches(components, level.components) or pce_svn < level.pce_svn:
            continue
        if tdx_components is None:
            return level
        if level.tdx_components is not None and _reaches(
            tdx_components[tdx_from:], level.tdx_components[tdx_from:]
        ):
            return level
    return None


def match_isv_level(levels: Sequence[IsvLevel], isv_svn: int) -> IsvLevel | None:
    """Return the first level whose ISVSVN is reached, or None."""
    return next((level for level in levels if isv_svn >= level.isv_svn), None)


def parse_isv_levels(document: Document) -> tuple[IsvLevel, ...]:
    """Parse the `tcbLevels` of a QE identity or of a TDX module identity."""
    return tuple(
        IsvLevel(
            isv_svn=level.document("tcb").integer("isvsvn", most=_MAX_SVN),
            status=level.status(),
            advisories=level.advisories(),
        )
        for level in document.documents("tcbLevels")
    )


def _reaches(found: Sequence[int], wanted: Sequence[int]) -> bool:
    if len(found) != len(wanted):
        raise ValueError("components of different numbers")
    return all(map(ge, found, wanted))


def _family(name: str) -> Family:
    for family, known in _IDS.items():
        if name == known:
            return family
    raise VerificationError(
        "TCB info of an unknown kind", code="tcb_info:id", found=repr(name[:32]), wanted="SGX or TDX"
    )


def _level(level: Document, version: int, is_tdx: bool) -> TcbLevel:
    tcb = level.document("tcb")
    return TcbLevel(
        components=_flat_components(tcb) if version == 2 else _components(tcb, "sgxtcbcomponents"),
        pce_svn=tcb.integer("pcesvn", most=_MAX_SVN),
        tdx_components=_components(tcb, "tdxtcbcomponents") if is_tdx else None,
        status=level.status(),
        advisories=level.advisories(),
    )


def _components(tcb: Document, name: str) -> tuple[int, ...]:
    return tuple(part.integer("svn", most=0xFF) for part in tcb.documents(name, exactly=COMPONENTS))


def _flat_components(tcb: Document) -> tuple[int, ...]:
    return tuple(tcb.integer(f"sgxtcbcomp{n:02}svn", most=0xFF) for n in range(1, COMPONENTS + 1))


def _module(module: Document, *, identity: bool) -> TdxModule:
    return TdxModule(
        id=module.string("id") if identity else "",
        mr_signer=module.octets("mrsigner", 48),
        attributes=module.octets("attributes", 8),
        attributes_mask=module.octets("attributesMask", 8),
        levels=parse_isv_levels(module) if identity else (),
    )
