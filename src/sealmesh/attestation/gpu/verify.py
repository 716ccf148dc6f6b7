"""Verification of NVIDIA devices.

Plan (DMTF DSP0274 version 1.1, "MEASUREMENTS signature verification"; NVIDIA, attestation SDK, "Device
certificate chain" and "Measurement verification"):

 1. Chain: the device's certificate, its boot ROM's, NVIDIA's CAs, an accepted root; links, profiles, dates.
 2. CRLs, where given: each is a CA's of this chain, complete, fresh, and names no certificate below. OCSP
    responses, where given: each is about a certificate of this chain, its CA's word, fresh, and good.
 3. The device's key, on P-384, signed request and response (ECDSA with SHA-384).
 4. The firmware that the response names is the one that the device's certificate was made for
    (DICE CompositeDeviceID, 2.23.133.5.4.1).
 5. The nonce is the one that was sent, where one was.

Not looked at: measurements, versions and mode. Those are facts for `appraise`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384

from sealmesh.attestation.cache import VerificationCache, digest_of
from sealmesh.attestation.certification import (
    VerifiedPath,
    parse_pem_certificates,
    verify_ocsp_response,
    verify_path,
    verify_revocation_list,
)
from sealmesh.attestation.certification.certificate import Extension
from sealmesh.attestation.certification.der import DerReader, Tag, read_oid
from sealmesh.attestation.fixed_ecdsa import verify_fixed_ecdsa
from sealmesh.attestation.genuine import Genuine
from sealmesh.attestation.gpu.claims import GpuClaims
from sealmesh.attestation.gpu.evidence import GpuEvidence
from sealmesh.attestation.gpu.opaque import Field, OpaqueFields
from sealmesh.attestation.nonce import verify_nonce
from sealmesh.attestation.roots import TrustRoot
from sealmesh.attestation.unchecked import Unchecked
from sealmesh.attestation.validity import Validity
from sealmesh.errors.attestation import EndorsementFormatError, VerificationError

MAX_CHAIN = 8
_COMPOSITE_DEVICE_ID = "2.23.133.5.4.1"
_SHA384 = "2.16.840.1.101.3.4.2.2"
_FIRMWARE_ID_BYTES = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuCollateral:
    """What the Evidence needs besides itself.

    Attributes:
        chain: The device's certificates, PEM; None where the Evidence brings them.
        crls: DER of revocation lists of CAs in the chain, or `Unchecked()`.
        nonce: What was sent to this device, or `Unchecked()`: then it is for `appraise`, as the report data.
        ocsp: DER of OCSP responses about certificates of the chain; not every one needs a response.
    """

    chain: bytes | None
    crls: tuple[bytes, ...] | Unchecked
    nonce: bytes | Unchecked
    ocsp: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedDevice:
    """A device that NVIDIA vouches for.

    Attributes:
        root: The trust root.
        validity: When certificates and lists are valid.
        path: Its certificates.
        firmware_id: The firmware that its key belongs to, or None where the certificate names none.
    """

    root: TrustRoot
    validity: Validity
    path: VerifiedPath
    firmware_id: bytes | None


def verify_gpu(
    evidence: GpuEvidence,
    collateral: GpuCollateral,
    *,
    roots: Sequence[TrustRoot],
    now: datetime,
    cache: VerificationCache | None = None,
) -> Genuine[GpuClaims]:
    """Verify a device's measurements; the plan is the module's.

    Raises:
        EndorsementFormatError: A certificate or list cannot be read, or there is none.
        VerificationError: A certificate's (`gpu device`, `gpu ca <n>` counted from the root, `gpu root`), a
            list's or response's (the same names), `signature:measurements`, `binding:firmware` or `nonce`.
    """
    # 1. and 2. Device.
    device = _recall_device(evidence, collateral, roots, now, cache)
    # 3. Signature.
    verify_fixed_ecdsa(
        device.path.leaf.key,
        evidence.exchange.signature,
        evidence.exchange.signed,
        curve=ec.SECP384R1,
        digest=SHA384(),
        subject="measurements",
    )
    # 4. Firmware.
    _verify_firmware(evidence.fields, device)
    # 5. Nonce.
    verify_nonce(evidence.exchange.nonce, collateral.nonce)
    return Genuine(root=device.root, validity=device.validity, claims=_claims(evidence, device))


def _recall_device(
    evidence: GpuEvidence,
    collateral: GpuCollateral,
    roots: Sequence[TrustRoot],
    now: datetime,
    cache: VerificationCache | None,
) -> VerifiedDevice:
    chain = evidence.chain or collateral.chain
    if chain is None:
        raise EndorsementFormatError("the certificates of the device are missing", code="format:gpu chain")
    crls = () if isinstance(collateral.crls, Unchecked) else collateral.crls
    if len(crls) > MAX_CHAIN or not (crls or isinstance(collateral.crls, Unchecked)):
        raise EndorsementFormatError(
            "no revocation lists, or too many",
            code="limit:gpu crl",
            found=len(crls),
            wanted=f"1 to {MAX_CHAIN}",
        )
    if len(collateral.ocsp) > MAX_CHAIN:
        raise EndorsementFormatError(
            "too many OCSP responses", code="limit:gpu ocsp", found=len(collateral.ocsp), wanted=MAX_CHAIN
        )

    def verify() -> VerifiedDevice:
        return _verify_device(chain, crls, collateral.ocsp, roots, now)

    if cache is None:
        return verify()
    key = digest_of(b"gpu", chain, b"crls", *crls, b"ocsp", *collateral.ocsp)
    return cache.recall(key, verify, roots=roots, now=now)


def _verify_device(
    chain: bytes,
    crls: Sequence[bytes],
    ocsp: Sequence[bytes],
    roots: Sequence[TrustRoot],
    now: datetime,
) -> VerifiedDevice:
    certificates = parse_pem_certificates(chain, subject="gpu", most=MAX_CHAIN)
    between = [f"gpu ca {depth}" for depth in range(len(certificates) - 2, 0, -1)]
    subjects = ("gpu device", *between, "gpu root")[: len(certificates)]
    # 1. Chain.
    path = verify_path(certificates, subjects=subjects, roots=roots, now=now)
    # 2. CRLs and OCSP.
    validity = path.validity
    for crl in crls:
        validity = validity.intersect(_verify_crl(crl, path, subjects, now))
    for response in ocsp:
        validity = validity.intersect(_verify_ocsp(response, path, subjects, now))
    return VerifiedDevice(
        root=path.root, validity=validity, path=path, firmware_id=_firmware_id(path.leaf.extensions)
    )


def _verify_crl(crl: bytes, path: VerifiedPath, subjects: Sequence[str], now: datetime) -> Validity:
    """Verify the list of one CA of the path against the certificate below that CA."""
    refused: VerificationError | None = None
    for below in range(len(path.certificates) - 1):
        issuer, name = path.certificates[below + 1], subjects[below + 1]
        try:
            revocations = verify_revocation_list(crl, issuer, subject=name, now=now)
        except VerificationError as error:
            if error.code.startswith("crl issuer:"):
                refused = error
                continue
            raise
        revocations.verify_not_revoked(path.certificates[below], subject=subjects[below])
        return revocations.validity
    assert refused is not None
    raise refused


def _verify_ocsp(response: bytes, path: VerifiedPath, subjects: Sequence[str], now: datetime) -> Validity:
    """Verify a response about one certificate of the path, against the certificate above it."""
    refused: VerificationError | None = None
    for below in range(len(path.certificates) - 1):
        certificate, issuer = path.certificates[below : below + 2]
        try:
            return verify_ocsp_response(response, certificate, issuer, subject=subjects[below], now=now)
        except VerificationError as error:
            if not error.code.startswith("ocsp certificate:"):
                raise
            refused = error
    assert refused is not None
    raise refused


def _firmware_id(extensions: Mapping[str, Extension]) -> bytes | None:
    """Return the digest in a CompositeDeviceID: version, the device's key, the firmware's digest."""
    extension = extensions.get(_COMPOSITE_DEVICE_ID)
    if extension is None:
        return None
    try:
        outer = DerReader(extension.value)
        device_id = outer.sequence()
        outer.finish()
        version = device_id.integer()
        device_id.element(Tag.SEQUENCE)
        firmware = device_id.sequence()
        device_id.finish()
        algorithm = read_oid(firmware.content(Tag.OID))
        digest = firmware.content(Tag.OCTET_STRING)
        firmware.finish()
        if (version, algorithm, len(digest)) != (1, _SHA384, _FIRMWARE_ID_BYTES):
            raise ValueError("another version or hash")
    except ValueError as error:
        raise VerificationError(
            f"the device's certificate names its firmware in another form: {error}",
            code="profile:gpu device",
        ) from error
    return digest


def _verify_firmware(fields: OpaqueFields, device: VerifiedDevice) -> None:
    found = fields.values.get(Field.FIRMWARE_ID)
    if found is not None and found != device.firmware_id:
        raise VerificationError(
            "the measurements are of other firmware than the device's certificate",
            code="binding:firmware",
            found=found.hex(),
            wanted="none" if device.firmware_id is None else device.firmware_id.hex(),
        )


def _claims(evidence: GpuEvidence, device: VerifiedDevice) -> GpuClaims:
    flag = evidence.fields.values.get(Field.FEATURE_FLAG)
    return GpuClaims(
        nonce=evidence.exchange.nonce,
        device=device.path.leaf.subject_name,
        model=device.path.certificates[-2].subject_name,
        driver=evidence.fields.text(Field.DRIVER_VERSION),
        vbios=evidence.fields.vbios,
        mode=None if flag is None else int.from_bytes(flag, "little"),
        measurements=evidence.exchange.measurements,
        fields=evidence.fields,
    )
