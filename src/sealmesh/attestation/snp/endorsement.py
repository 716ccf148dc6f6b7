"""The certificates behind an SNP report: VCEK or VLEK, its CA (ASK or ASVK), the root (ARK).

Plan:

 1. Path: ARK (an accepted root), ASK or ASVK, then VCEK or VLEK; signed with RSASSA-PSS and SHA-384.
    AMD 57230 (VCEK) and 58369 (VLEK), Certificate and KDS Interface, chapter "Certificates".
 2. CRL, where given: complete, the ARK's, fresh, and it does not name the CA. Leaves are on no list.
 3. The leaf's key is on P-384; its extensions say for which processor, chip or cloud provider, and
    TCB version it is (57230, table "VCEK Certificate Extensions"; 58369, the VLEK's).

Not looked at: the report.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec

from sealmesh.attestation.cache import VerificationCache, digest_of
from sealmesh.attestation.certification import (
    Certificate,
    order_path,
    parse_certificate,
    verify_path,
    verify_revocation_list,
)
from sealmesh.attestation.certification.certificate import Extension
from sealmesh.attestation.certification.der import DerReader, Tag
from sealmesh.attestation.roots import TrustRoot
from sealmesh.attestation.snp.tcb import Generation, SnpTcb
from sealmesh.attestation.unchecked import Unchecked
from sealmesh.attestation.validity import Validity
from sealmesh.errors.attestation import EndorsementFormatError, VerificationError

MAX_CANDIDATES = 16
_AMD = "1.3.6.1.4.1.3704.1."
_PRODUCT, _HARDWARE_ID, _CSP_ID = f"{_AMD}2", f"{_AMD}4", f"{_AMD}5"
_BOOT_LOADER, _TEE, _SNP, _MICROCODE, _FMC = (f"{_AMD}3.{n}" for n in (1, 2, 3, 8, 9))
_RESERVED = tuple(f"{_AMD}3.{n}" for n in (4, 5, 6, 7))


@dataclass(frozen=True, slots=True, kw_only=True)
class SnpCollateral:
    """The certificates that a report needs, unverified.

    Attributes:
        leaf: VCEK or VLEK, DER; None where the report brings it in its certificate table.
        candidates: DER of certificates among which CA and root are found by name, at most
            `MAX_CANDIDATES`; the certificate table's are added.
        crl: The root's revocation list, DER, or `Unchecked()`.
    """

    leaf: bytes | None
    candidates: tuple[bytes, ...]
    crl: bytes | Unchecked


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedSigner:
    """A key of AMD's that signs reports.

    Attributes:
        root: The trust root.
        validity: When certificates and list are valid.
        key: The key.
        is_vlek: Whether it is a cloud provider's (VLEK) instead of a chip's (VCEK).
        product: The processor, as the certificate names it, e.g. `Milan-B0`.
        generation: The processor's generation.
        hardware_id: The chip's ID (VCEK), else None.
        csp_id: The cloud provider (VLEK), else None.
        tcb: The TCB version that the key is derived from.
    """

    root: TrustRoot
    validity: Validity
    key: ec.EllipticCurvePublicKey
    is_vlek: bool
    product: str
    generation: Generation
    hardware_id: bytes | None
    csp_id: str | None
    tcb: SnpTcb


def verify_signer(
    collateral: SnpCollateral,
    in_evidence: Mapping[str, bytes],
    *,
    roots: Sequence[TrustRoot],
    now: datetime,
    cache: VerificationCache | None = None,
) -> VerifiedSigner:
    """Verify the certificates behind a report at `now`; the plan is the module's.

    Args:
        collateral: What was given with the report.
        in_evidence: What the report's certificate table holds.
        roots: Accepted for the family.
        now: Aware UTC.
        cache: Remembers signers.

    Raises:
        EndorsementFormatError: Something cannot be read, or there is no leaf.
        VerificationError: Something does not hold.
    """
    leaf = collateral.leaf or in_evidence.get("VCEK") or in_evidence.get("VLEK")
    candidates = (*collateral.candidates, *(in_evidence[n] for n in ("ASK", "ARK") if n in in_evidence))
    if leaf is None or len(candidates) > MAX_CANDIDATES:
        raise EndorsementFormatError(
            "the certificates of an SNP report are missing or too many",
            code="format:snp collateral",
            found="no VCEK or VLEK" if leaf is None else f"{len(candidates)} certificates of CAs",
        )
    listed = (b"unchecked", b"") if isinstance(collateral.crl, Unchecked) else (b"listed", collateral.crl)
    if cache is None:
        return _verify(leaf, candidates, collateral.crl, roots=roots, now=now)
    return cache.recall(
        digest_of(b"snp", leaf, *listed, *candidates),
        lambda: _verify(leaf, candidates, collateral.crl, roots=roots, now=now),
        roots=roots,
        now=now,
    )


def _verify(
    leaf_der: bytes,
    candidates: Sequence[bytes],
    crl: bytes | Unchecked,
    *,
    roots: Sequence[TrustRoot],
    now: datetime,
) -> VerifiedSigner:
    leaf = parse_certificate(leaf_der, subject="vcek")
    is_vlek = _CSP_ID in leaf.extensions
    subjects = ("vlek", "asvk", "ark") if is_vlek else ("vcek", "ask", "ark")
    # 1. Path.
    ordered = order_path(leaf, [parse_certificate(der, subject="amd ca") for der in candidates])
    if len(ordered) != len(subjects):
        raise VerificationError(
            "an SNP certificate chain has a leaf, a CA and a root",
            code="chain:length",
            found=f"{len(ordered)} certificates",
            wanted=str(len(subjects)),
        )
    path = verify_path(ordered, subjects=subjects, roots=roots, now=now)
    # 2. CRL.
    validity = path.validity
    if not isinstance(crl, Unchecked):
        root = ordered[2]
        revocations = verify_revocation_list(crl, root, subject="ark", now=now)
        revocations.verify_not_revoked(ordered[1], subject=subjects[1])
        validity = validity.intersect(revocations.validity)
    # 3. What the leaf says.
    try:
        return _read_leaf(leaf, path.root, validity, is_vlek=is_vlek)
    except (ValueError, KeyError) as error:
        raise VerificationError(
            f"the {subjects[0]} certificate is not as its profile has it: {error}",
            code=f"profile:{subjects[0]}",
        ) from error


def _read_leaf(leaf: Certificate, root: TrustRoot, validity: Validity, *, is_vlek: bool) -> VerifiedSigner:
    extensions = leaf.extensions
    if not (isinstance(leaf.key, ec.EllipticCurvePublicKey) and isinstance(leaf.key.curve, ec.SECP384R1)):
        raise ValueError("its key is not on P-384")
    product = _text(extensions[_PRODUCT])
    generation = Generation(product.partition("-")[0])
    hardware_id = None if is_vlek else _chip_id(extensions[_HARDWARE_ID].value, generation)
    if is_vlek and _HARDWARE_ID in extensions:
        raise ValueError("both a chip and a cloud provider")
    return VerifiedSigner(
        root=root,
        validity=validity,
        key=leaf.key,
        is_vlek=is_vlek,
        product=product,
        generation=generation,
        hardware_id=hardware_id,
        csp_id=_text(extensions[_CSP_ID]) if is_vlek else None,
        tcb=_tcb(extensions, generation),
    )


def _tcb(extensions: Mapping[str, Extension], generation: Generation) -> SnpTcb:
    """Return the TCB version of a leaf; Turin has one reserved byte less and an FMC instead."""
    turin = generation is Generation.TURIN
    return SnpTcb(
        fmc=_byte(extensions[_FMC]) if turin else None,
        boot_loader=_byte(extensions[_BOOT_LOADER]),
        tee=_byte(extensions[_TEE]),
        snp=_byte(extensions[_SNP]),
        microcode=_byte(extensions[_MICROCODE]),
        reserved=bytes(
            _byte(extensions[oid]) if oid in extensions else 0
            for oid in (_RESERVED[1:] if turin else _RESERVED)
        ),
    )


def _chip_id(value: bytes, generation: Generation) -> bytes:
    """Return the hardware ID: bytes as they are, or inside an OCTET STRING."""
    length = generation.chip_id_length
    if len(value) == length + 2 and value[:2] == bytes((Tag.OCTET_STRING, length)):
        value = value[2:]
    if len(value) != length:
        raise ValueError(f"a hardware ID of {len(value)} bytes where {length} belong")
    return value


def _byte(extension: Extension) -> int:
    reader = DerReader(extension.value)
    value = reader.integer()
    reader.finish()
    if not 0 <= value <= 0xFF:
        raise ValueError("a security version that is not a byte")
    return value


def _text(extension: Extension) -> str:
    reader = DerReader(extension.value)
    text = reader.content(Tag.IA5_STRING).decode("ascii")
    reader.finish()
    if not text.isprintable() or len(text) > 128:
        raise ValueError("a name of another form")
    return text
