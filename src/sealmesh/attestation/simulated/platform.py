"""A simulated machine: its PCK certificate, its quoting enclave, its seal keys."""

from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sealmesh.attestation.dcap.ecdsa import encode_point, sign_raw
from sealmesh.attestation.dcap.enclave_report import (
    ATTRIBUTE_INIT,
    ATTRIBUTE_PROVISION_KEY,
    EnclaveReport,
    encode_enclave_report,
)
from sealmesh.attestation.dcap.pck import PckPlatform
from sealmesh.attestation.dcap.quote import ECDSA_P256, INTEL_QE_VENDOR_ID, TEE_SGX
from sealmesh.attestation.dcap.quote_signature import qe_report_data
from sealmesh.attestation.dcap.signature_data import PCK_CHAIN
from sealmesh.attestation.simulated.enclave import XFRM, SealMode, SimulatedEnclave
from sealmesh.attestation.simulated.endorsements import (
    COMPONENTS,
    FMSPC,
    PCE_ID,
    PCE_SVN,
    QE_MR_SIGNER,
    QE_PROD_ID,
    QE_SVN,
)
from sealmesh.attestation.simulated.pck_extension import encode_pck_extension
from sealmesh.attestation.simulated.vendor import (
    Entropy,
    KeyWithCertificate,
    SimulatedVendor,
    generate_key,
    issue_pck,
)
from sealmesh.errors.attestation import PlatformError

_QE_AUTH_DATA = bytes(range(32))
_QE_CERTIFICATION = 6
_SEAL_LABEL = b"sealmesh simulated seal key v1\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotingEnclave:
    """The identity that the simulated quoting enclave claims; tests make wrong ones."""

    mr_signer: bytes = QE_MR_SIGNER
    isv_prod_id: int = QE_PROD_ID
    isv_svn: int = QE_SVN
    flags: int = ATTRIBUTE_INIT | ATTRIBUTE_PROVISION_KEY
    misc_select: bytes = bytes(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedPlatform:
    """A machine that makes quotes.

    Attributes:
        vendor: Who issued its certificate. (A real machine does not have its vendor's keys.)
        identity: What the PCK certificate says.
        pck: The provisioning certification key.
        attestation_key: The quoting enclave's key.
        seal_secret: 32 bytes that all seal keys of this machine come from.
        quoting_enclave: Its identity.
    """

    vendor: SimulatedVendor
    identity: PckPlatform
    pck: KeyWithCertificate
    attestation_key: ec.EllipticCurvePrivateKey
    seal_secret: bytes = field(repr=False)
    quoting_enclave: QuotingEnclave = QuotingEnclave()
    _certification: tuple[bytes, bytes] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # As on a real machine, where the attestation key is certified once and not for every quote.
        object.__setattr__(self, "_certification", self._certify())

    @property
    def pck_chain(self) -> bytes:
        """PCK certificate, CA and root in PEM, as quotes carry them."""
        return self.pck.pem + self.vendor.pck_ca.pem + self.vendor.root.pem

    def quote(self, enclave: SimulatedEnclave, report_data: bytes) -> bytes:
        """Return a quote of version 3 of `enclave` over `report_data` (64 bytes)."""
        if len(report_data) != 64:
            raise ValueError("report data is 64 bytes")
        report = EnclaveReport(
            cpu_svn=self.identity.cpu_svn,
            misc_select=bytes(4),
            attributes=enclave.attributes,
            mr_enclave=enclave.unique_id,
            mr_signer=enclave.signer_id,
            isv_prod_id=enclave.product_id,
            isv_svn=enclave.security_version,
            report_data=report_data,
        )
        signed = self._header() + encode_enclave_report(report)
        signature = self._signature_data(signed)
        return signed + len(signature).to_bytes(4, "little") + signature

    def seal_key(
        self, enclave: SimulatedEnclave, mode: SealMode, *, security_version: int | None = None
    ) -> bytes:
        """Return the 32-byte key that this machine gives this enclave.

        As in SGX (EGETKEY) it depends on the machine, on debug, on the security version asked for, and on the
        signer and product or on the measurement.

        Args:
            enclave: Who asks.
            mode: What the key depends on.
            security_version: The enclave's own, which is the default, or a lower one: so an update opens
                what the version before sealed.

        Raises:
            PlatformError: A security version above the enclave's own.
        """
        version = enclave.security_version if security_version is None else security_version
        if not 0 <= version <= enclave.security_version:
            raise PlatformError(
                "The platform gives no key of a higher security version",
                code="platform:seal-key-version",
                found=version,
                wanted=f"at most {enclave.security_version}, the version that runs",
                remedy="Start a version of the software that is not older than the one that sealed.",
            )
        match SealMode(mode):
            case SealMode.PRODUCT_KEY:
                subject = enclave.signer_id + enclave.product_id.to_bytes(2, "little")
            case SealMode.UNIQUE_KEY:
                subject = enclave.unique_id
        info = _SEAL_LABEL + mode.encode() + b"\0" + bytes((enclave.debug,)) + subject
        info += version.to_bytes(2, "little")
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(self.seal_secret)

    def _header(self) -> bytes:
        return b"".join(
            (
                (3).to_bytes(2, "little"),
                ECDSA_P256.to_bytes(2, "little"),
                TEE_SGX.to_bytes(4, "little"),
                self.quoting_enclave.isv_svn.to_bytes(2, "little"),
                self.identity.pce_svn.to_bytes(2, "little"),
                INTEL_QE_VENDOR_ID,
                bytes(20),
            )
        )

    def nested_signature_data(self, signed: bytes) -> bytes:
        """Return the signature data of a quote of version 4 over header and body."""
        point, certification = self._certification
        nested = _QE_CERTIFICATION.to_bytes(2, "little") + len(certification).to_bytes(4, "little")
        return sign_raw(self.attestation_key, signed) + point + nested + certification

    def _signature_data(self, signed: bytes) -> bytes:
        point, certification = self._certification
        return sign_raw(self.attestation_key, signed) + point + certification

    def _certify(self) -> tuple[bytes, bytes]:
        """Return the attestation key, and the quoting enclave's and the PCK's word for it."""
        point = encode_point(self.attestation_key.public_key())
        qe_report = self._qe_report(qe_report_data(point, _QE_AUTH_DATA))
        chain = self.pck_chain
        parts = (
            qe_report,
            sign_raw(self.pck.key, qe_report),
            len(_QE_AUTH_DATA).to_bytes(2, "little"),
            _QE_AUTH_DATA,
            PCK_CHAIN.to_bytes(2, "little"),
            len(chain).to_bytes(4, "little"),
            chain,
        )
        return point, b"".join(parts)

    def _qe_report(self, report_data: bytes) -> bytes:
        enclave = self.quoting_enclave
        return encode_enclave_report(
            EnclaveReport(
                cpu_svn=self.identity.cpu_svn,
                misc_select=enclave.misc_select,
                attributes=enclave.flags.to_bytes(8, "little") + XFRM,
                mr_enclave=bytes(32),
                mr_signer=enclave.mr_signer,
                isv_prod_id=enclave.isv_prod_id,
                isv_svn=enclave.isv_svn,
                report_data=report_data,
            )
        )


def create_platform(
    vendor: SimulatedVendor,
    *,
    now: datetime,
    entropy: Entropy,
    components: tuple[int, ...] = COMPONENTS,
    pce_svn: int = PCE_SVN,
    fmspc: bytes = FMSPC,
    quoting_enclave: QuotingEnclave | None = None,
) -> SimulatedPlatform:
    """Make a machine of this vendor; the defaults make one that is up to date."""
    identity = PckPlatform(
        fmspc=fmspc,
        pce_id=PCE_ID,
        ppid=entropy(16),
        cpu_svn=bytes(components),
        components=components,
        pce_svn=pce_svn,
        sgx_type=1,
    )
    key = generate_key(entropy)
    extension = encode_pck_extension(identity, instance_id=entropy(16))
    certificate = issue_pck(vendor, key.public_key(), extension, now=now, entropy=entropy)
    return SimulatedPlatform(
        vendor=vendor,
        identity=identity,
        pck=KeyWithCertificate(key=key, certificate=certificate),
        attestation_key=generate_key(entropy),
        seal_secret=entropy(32),
        quoting_enclave=quoting_enclave or QuotingEnclave(),
    )
