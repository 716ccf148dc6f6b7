"""Verification of SNP reports.

Plan:

 1. The certificates hold: `snp.endorsement`.
 2. The report was signed by that key: ECDSA P-384 with SHA-384 over bytes 0 to 0x29F, R and S
    little-endian (AMD 56860, chapter "Signatures"), and by that kind of key (SIGNING_KEY).
 3. The processor is the certificate's: CPUID from version 3 on (56860, ATTESTATION_REPORT offset 188h).
 4. TCB: REPORTED_TCB is the certificate's, part by part, for a key is derived from exactly one version
    (57230, "VCEK Certificate Extensions"); it is not above COMMITTED_TCB (56860, SNP_CONFIG).
 5. Chip: CHIP_ID is the VCEK's hardware ID; on Turin its first 8 bytes, the rest zero. A VLEK has none.

Not looked at: measurement, policy with its debug bit, VMPL, host data, ID and author keys, whether the
TCB is recent enough, report data. Those are facts for `appraise`.
"""

from collections.abc import Sequence
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from sealmesh.attestation.cache import VerificationCache
from sealmesh.attestation.genuine import Genuine
from sealmesh.attestation.roots import TrustRoot
from sealmesh.attestation.snp.claims import SnpClaims
from sealmesh.attestation.snp.endorsement import SnpCollateral, VerifiedSigner, verify_signer
from sealmesh.attestation.snp.report import SnpReport
from sealmesh.attestation.snp.tcb import Generation, read_tcb
from sealmesh.errors.attestation import VerificationError

_SIGNING_KEYS = {0: "VCEK", 1: "VLEK"}
_POLICY_MIGRATE_MA = 1 << 18
_POLICY_DEBUG = 1 << 19
_PLATFORM_SMT = 1 << 0


def verify_snp(
    report: SnpReport,
    collateral: SnpCollateral,
    *,
    roots: Sequence[TrustRoot],
    now: datetime,
    cache: VerificationCache | None = None,
) -> Genuine[SnpClaims]:
    """Verify an SNP report; the plan is the module's.

    Raises:
        EndorsementFormatError: A certificate or list cannot be read.
        VerificationError: `signature:report`, `signing key:<found>`, `product:cpuid`, `tcb:<part>`,
            `tcb:committed`, `chip id`, or one of the certificates' (`snp.endorsement`).
    """
    # 1. The certificates.
    signer = verify_signer(collateral, report.certificates, roots=roots, now=now, cache=cache)
    # 2. The report was signed by that key.
    _verify_signature(report, signer)
    _verify_kind_of_key(report, signer)
    # 3. The processor.
    _verify_product(report, signer)
    # 4. TCB.
    _verify_tcb(report, signer)
    # 5. Chip.
    _verify_chip(report, signer)
    return Genuine(root=signer.root, validity=signer.validity, claims=_claims(report, signer))


def _verify_signature(report: SnpReport, signer: VerifiedSigner) -> None:
    r, s = (int.from_bytes(part, "little") for part in (report.signature_r, report.signature_s))
    try:
        signer.key.verify(encode_dss_signature(r, s), report.signed, ec.ECDSA(SHA384()))
    except InvalidSignature as error:
        raise VerificationError(
            "the signature over the SNP report does not verify", code="signature:report"
        ) from error


def _verify_kind_of_key(report: SnpReport, signer: VerifiedSigner) -> None:
    found = _SIGNING_KEYS.get(report.signing_key)
    wanted = "VLEK" if signer.is_vlek else "VCEK"
    if found != wanted:
        raise VerificationError(
            "the SNP report names another kind of key than its certificate",
            code="signing key:report",
            found=found or f"number {report.signing_key}",
            wanted=wanted,
        )


def _verify_product(report: SnpReport, signer: VerifiedSigner) -> None:
    if report.cpuid is None:
        return
    family, model, _ = report.cpuid
    found = generation_of(family, model)
    if found is not signer.generation:
        raise VerificationError(
            "the SNP report is of another processor than its certificate",
            code="product:cpuid",
            found=found or f"family {family:#x}, model {model:#x}",
            wanted=signer.product,
        )


def generation_of(family: int, model: int) -> Generation | None:
    """Return the generation of a processor by its CPUID.

    Source: AMD 57230, table of product names; AMD's processor programming references: family 19h models
    0xh are Milan, 1xh and Axh Genoa (with Bergamo and Siena), family 1Ah models 0xh and 1xh Turin.
    """
    match family, model >> 4:
        case 0x19, 0x0:
            return Generation.MILAN
        case 0x19, 0x1 | 0xA:
            return Generation.GENOA
        case 0x1A, 0x0 | 0x1:
            return Generation.TURIN
        case _:
            return None


def _verify_tcb(report: SnpReport, signer: VerifiedSigner) -> None:
    reported = read_tcb(report.reported_tcb, signer.generation)
    for part, found, wanted in reported.differences(signer.tcb):
        raise VerificationError(
            f"the SNP report's {part} version is not its certificate's",
            code=f"tcb:{part}",
            found=found,
            wanted=wanted,
        )
    above = reported.exceeds(read_tcb(report.committed_tcb, signer.generation))
    if above is not None:
        raise VerificationError(
            "the SNP report claims a version that its firmware has not committed to",
            code="tcb:committed",
            found=f"{above} above COMMITTED_TCB",
        )


def _verify_chip(report: SnpReport, signer: VerifiedSigner) -> None:
    if signer.hardware_id is None:
        return
    wanted = signer.hardware_id.ljust(len(report.chip_id), b"\0")
    if report.chip_id != wanted:
        raise VerificationError(
            "the SNP report is of another chip than its certificate",
            code="chip id",
            found=report.chip_id.hex(),
            wanted=wanted.hex(),
        )


def _claims(report: SnpReport, signer: VerifiedSigner) -> SnpClaims:
    tcbs = (report.reported_tcb, report.committed_tcb, report.current_tcb, report.launch_tcb)
    reported, committed, current, launch = (read_tcb(raw, signer.generation) for raw in tcbs)
    return SnpClaims(
        version=report.version,
        product=signer.product,
        signing_key=_SIGNING_KEYS[report.signing_key],
        csp_id=signer.csp_id,
        vmpl=report.vmpl,
        debug=bool(report.policy & _POLICY_DEBUG),
        migrate_ma=bool(report.policy & _POLICY_MIGRATE_MA),
        smt=bool(report.platform_info & _PLATFORM_SMT),
        guest_svn=report.guest_svn,
        policy=report.policy,
        family_id=report.family_id,
        image_id=report.image_id,
        measurement=report.measurement,
        report_data=report.report_data,
        host_data=report.host_data,
        id_key_digest=report.id_key_digest,
        author_key_digest=report.author_key_digest,
        chip_id=report.chip_id,
        platform_info=report.platform_info,
        reported_tcb=reported,
        committed_tcb=committed,
        current_tcb=current,
        launch_tcb=launch,
        cpuid=report.cpuid,
        report_id=report.report_id,
        current_mitigations=report.current_mitigations,
        launch_mitigations=report.launch_mitigations,
    )
