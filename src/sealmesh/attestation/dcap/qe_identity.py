"""The QE identity: which quoting enclave may sign quotes.

Source: Intel PCS API, "Get Quoting Enclave Identity": enclave identity model version 2.
"""

from dataclasses import dataclass

from sealmesh.attestation.dcap.documents import Document, load_json
from sealmesh.attestation.dcap.enclave_report import EnclaveReport
from sealmesh.attestation.dcap.tcb_info import IsvLevel, match_isv_level, parse_isv_levels
from sealmesh.attestation.family import Family
from sealmesh.attestation.tcb import TcbStatus
from sealmesh.attestation.validity import Validity
from sealmesh.errors.attestation import VerificationError

_SUBJECT = "qe_identity"
_IDS = {"QE": Family.SGX, "TD_QE": Family.TDX}


@dataclass(frozen=True, slots=True, kw_only=True)
class QeIdentity:
    """A QE identity document. Levels stand in the vendor's order, highest first."""

    family: Family
    validity: Validity
    misc_select: bytes
    misc_select_mask: bytes
    attributes: bytes
    attributes_mask: bytes
    mr_signer: bytes
    isv_prod_id: int
    evaluation_number: int | None
    levels: tuple[IsvLevel, ...]


def parse_qe_identity(text: bytes) -> QeIdentity:
    """Parse a QE identity document whose signature was already verified.

    Raises:
        EndorsementFormatError: `format:qe_identity`.
        VerificationError: `qe_identity:version` or `qe_identity:id`, a kind that is not known.
    """
    document = Document(load_json(text, subject=_SUBJECT), subject=_SUBJECT)
    version, name = document.integer("version", most=0xFFFF), document.string("id")
    if version != 2:
        raise VerificationError("unknown version of QE identity", code="qe_identity:version", found=version)
    if name not in _IDS:
        raise VerificationError(
            "identity of another enclave", code="qe_identity:id", found=repr(name[:32]), wanted="QE or TD_QE"
        )
    return QeIdentity(
        family=_IDS[name],
        validity=document.validity(),
        misc_select=document.octets("miscselect", 4),
        misc_select_mask=document.octets("miscselectMask", 4),
        attributes=document.octets("attributes", 16),
        attributes_mask=document.octets("attributesMask", 16),
        mr_signer=document.octets("mrsigner", 32),
        isv_prod_id=document.integer("isvprodid", most=0xFFFF),
        evaluation_number=document.evaluation_number(),
        levels=parse_isv_levels(document),
    )


def verify_quoting_enclave(report: EnclaveReport, identity: QeIdentity) -> IsvLevel:
    """Accept the quoting enclave only if it is the vendor's; return the level it has.

    A version below all levels counts as revoked, as in Intel's Quote Verification Library.

    Raises:
        VerificationError: `qe identity:<field>` for miscselect, attributes, mrsigner, isvprodid.
    """
    checks = (
        ("mrsigner", report.mr_signer, identity.mr_signer),
        ("isvprodid", report.isv_prod_id.to_bytes(2, "big"), identity.isv_prod_id.to_bytes(2, "big")),
        ("miscselect", _masked(report.misc_select, identity.misc_select_mask), identity.misc_select),
        ("attributes", _masked(report.attributes, identity.attributes_mask), identity.attributes),
    )
    for field, found, wanted in checks:
        if found != wanted:
            raise VerificationError(
                f"the quoting enclave's {field} is not the vendor's",
                code=f"qe identity:{field}",
                found=found.hex(),
                wanted=wanted.hex(),
            )
    level = match_isv_level(identity.levels, report.isv_svn)
    return level or IsvLevel(isv_svn=report.isv_svn, status=TcbStatus.REVOKED, advisories=())


def _masked(value: bytes, mask: bytes) -> bytes:
    return bytes(byte & bits for byte, bits in zip(value, mask, strict=True))
