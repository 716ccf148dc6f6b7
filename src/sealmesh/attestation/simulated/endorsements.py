"""What the simulated vendor publishes: revocation lists, TCB info, QE identity."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.attestation.dcap.collateral import encode_collateral
from sealmesh.attestation.dcap.ecdsa import sign_raw
from sealmesh.attestation.dcap.tcb_info import IsvLevel, TcbLevel
from sealmesh.attestation.simulated.vendor import KeyWithCertificate, SimulatedVendor
from sealmesh.attestation.tcb import TcbStatus

COLLATERAL_LIFETIME = timedelta(days=30)
"""As long as Intel's."""

FMSPC = bytes.fromhex("53494d000000")
PCE_ID = bytes(2)
COMPONENTS = (1,) * 16
PCE_SVN = 1
QE_SVN = 1
QE_PROD_ID = 1

_qe_digest = Hash(SHA256())
_qe_digest.update(b"sealmesh simulated quoting enclave")
QE_MR_SIGNER = _qe_digest.finalize()

TCB_LEVELS = (
    TcbLevel(
        components=COMPONENTS,
        pce_svn=PCE_SVN,
        tdx_components=None,
        status=TcbStatus.UP_TO_DATE,
        advisories=(),
    ),
)
TD_COMPONENTS = (1, 1, 1, *(0 for _ in range(13)))
"""TEE_TCB_SVN of a simulated TD: minor version, major version and loader of its TDX module."""

QE_LEVELS = (IsvLevel(isv_svn=QE_SVN, status=TcbStatus.UP_TO_DATE, advisories=()),)
_TCB_DATE = "2025-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndorsementPlan:
    """What to publish. The defaults endorse a simulated platform as up to date.

    Attributes:
        issued: thisUpdate and issueDate.
        lifetime: From there to nextUpdate.
        fmspc: The kind of platform that the TCB info is for.
        pce_id: The same.
        tcb_levels: Highest first.
        qe_levels: Highest first.
        td_module_levels: Of the TDX module, highest first; for TDs only.
        revoked_by_root: Serial numbers in the root CRL (CA, TCB signer).
        revoked_by_ca: Serial numbers in the PCK CRL.
    """

    issued: datetime
    lifetime: timedelta = COLLATERAL_LIFETIME
    fmspc: bytes = FMSPC
    pce_id: bytes = PCE_ID
    tcb_levels: tuple[TcbLevel, ...] = TCB_LEVELS
    qe_levels: tuple[IsvLevel, ...] = QE_LEVELS
    td_module_levels: tuple[IsvLevel, ...] = QE_LEVELS
    revoked_by_root: frozenset[int] = frozenset()
    revoked_by_ca: frozenset[int] = frozenset()


def issue_collateral(vendor: SimulatedVendor, plan: EndorsementPlan) -> bytes:
    """Return a collateral document for enclaves, all parts issued anew."""
    return sign_collateral(vendor, plan, tcb_info(plan), qe_identity(plan))


def issue_td_collateral(vendor: SimulatedVendor, plan: EndorsementPlan) -> bytes:
    """Return a collateral document for TDs, all parts issued anew."""
    return sign_collateral(vendor, plan, td_tcb_info(plan), {**qe_identity(plan), "id": "TD_QE"})


def sign_collateral(
    vendor: SimulatedVendor,
    plan: EndorsementPlan,
    tcb_document: Mapping[str, object],
    qe_document: Mapping[str, object],
) -> bytes:
    """Return a collateral document with these two documents, signed."""
    tcb_info, qe_identity = (
        json.dumps(document, separators=(",", ":")).encode() for document in (tcb_document, qe_document)
    )
    signer_chain = vendor.tcb_signer.pem + vendor.root.pem
    return encode_collateral(
        {
            "pck_crl_issuer_chain": vendor.pck_ca.pem + vendor.root.pem,
            "root_ca_crl": issue_crl(vendor.root, plan, plan.revoked_by_root),
            "pck_crl": issue_crl(vendor.pck_ca, plan, plan.revoked_by_ca),
            "tcb_info_issuer_chain": signer_chain,
            "tcb_info": tcb_info,
            "tcb_info_signature": sign_raw(vendor.tcb_signer.key, tcb_info),
            "qe_identity_issuer_chain": signer_chain,
            "qe_identity": qe_identity,
            "qe_identity_signature": sign_raw(vendor.tcb_signer.key, qe_identity),
        }
    )


def issue_crl(issuer: KeyWithCertificate, plan: EndorsementPlan, revoked: frozenset[int]) -> bytes:
    """Return a revocation list in DER."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(plan.issued)
        .next_update(plan.issued + plan.lifetime)
        .add_extension(x509.CRLNumber(int(plan.issued.timestamp())), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
        )
    )
    for serial in sorted(revoked):
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(plan.issued)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer.key, SHA256()).public_bytes(Encoding.DER)


def tcb_info(plan: EndorsementPlan) -> dict[str, object]:
    """Return TCB info of version 3."""
    return {
        "id": "SGX",
        "version": 3,
        **_dates(plan),
        "fmspc": plan.fmspc.hex().upper(),
        "pceId": plan.pce_id.hex().upper(),
        "tcbType": 0,
        "tcbEvaluationDataNumber": 1,
        "tcbLevels": [
            {
                "tcb": {
                    "sgxtcbcomponents": [{"svn": svn} for svn in level.components],
                    "pcesvn": level.pce_svn,
                },
                **_judgement(level),
            }
            for level in plan.tcb_levels
        ],
    }


def td_tcb_info(plan: EndorsementPlan) -> dict[str, object]:
    """Return TCB info of version 3 for TDs: with a TDX module, whose version is left to its own levels."""
    module = {"mrsigner": bytes(48).hex(), "attributes": "00" * 8, "attributesMask": "FF" * 8}
    levels = [
        {
            "tcb": {
                "sgxtcbcomponents": [{"svn": svn} for svn in level.components],
                "pcesvn": level.pce_svn,
                "tdxtcbcomponents": [{"svn": svn} for svn in level.tdx_components or TD_COMPONENTS],
            },
            **_judgement(level),
        }
        for level in plan.tcb_levels
    ]
    identity = {"id": "TDX_01", **module, "tcbLevels": _isv_levels(plan.td_module_levels)}
    return {
        **tcb_info(plan),
        "id": "TDX",
        "tdxModule": module,
        "tdxModuleIdentities": [identity],
        "tcbLevels": levels,
    }


def qe_identity(plan: EndorsementPlan) -> dict[str, object]:
    """Return a QE identity of version 2."""
    return {
        "id": "QE",
        "version": 2,
        **_dates(plan),
        "tcbEvaluationDataNumber": 1,
        "miscselect": "00000000",
        "miscselectMask": "FFFFFFFF",
        "attributes": "11000000000000000000000000000000",
        "attributesMask": "FBFFFFFFFFFFFFFF0000000000000000",
        "mrsigner": QE_MR_SIGNER.hex().upper(),
        "isvprodid": QE_PROD_ID,
        "tcbLevels": _isv_levels(plan.qe_levels),
    }


def _isv_levels(levels: Sequence[IsvLevel]) -> list[dict[str, object]]:
    return [{"tcb": {"isvsvn": level.isv_svn}, **_judgement(level)} for level in levels]


def _judgement(level: TcbLevel | IsvLevel) -> dict[str, object]:
    judgement: dict[str, object] = {"tcbDate": _TCB_DATE, "tcbStatus": str(level.status)}
    return {**judgement, "advisoryIDs": list(level.advisories)} if level.advisories else judgement


def _dates(plan: EndorsementPlan) -> dict[str, str]:
    form = "%Y-%m-%dT%H:%M:%SZ"
    return {
        "issueDate": plan.issued.strftime(form),
        "nextUpdate": (plan.issued + plan.lifetime).strftime(form),
    }
