"""The Attester of a simulated platform: SGX, or the same program in another TEE or with a TPM."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sealmesh.adapters.attester.credential_holder import CredentialHolder
from sealmesh.adapters.attester.package import LoadedPackage
from sealmesh.adapters.attester.platform import open_or_create
from sealmesh.adapters.attester.tees import TEES as _TEES
from sealmesh.adapters.clock import system_clock, system_entropy
from sealmesh.attestation import REPORT_DATA_LENGTH, Family, TrustRoot
from sealmesh.attestation.simulated import SealMode
from sealmesh.attestation.tpm import Credential
from sealmesh.errors.attestation import PlatformError


class SimulatedAttester:
    """Gives byte-exact Evidence of a package, made without any TEE.

    Starting it is what starting an enclave is: a package that is not signed, or not as it was signed,
    is refused here.

    Args:
        platform_dir: The simulated platform; made where there is none.
        package: What this process runs; measured when it was loaded.
        family: Which TEE to pretend; seal keys are the same in all.
        clock: For certificates and collateral.
        entropy: For the keys of a new platform.

    Raises:
        PackageError: `package:unsigned` or `package:changed`.
        PlatformError: The platform directory cannot be used.
    """

    def __init__(
        self,
        platform_dir: Path,
        package: LoadedPackage,
        *,
        family: Family = Family.SGX,
        clock: Callable[[], datetime] = system_clock,
        entropy: Callable[[int], bytes] = system_entropy,
    ) -> None:
        self._enclave = package.verify_signed()
        self._directory = open_or_create(platform_dir, clock=clock, entropy=entropy)
        self._tee = _TEES[family](self._directory, self._enclave)

    def evidence(self, report_data: bytes) -> bytes:
        """Return Evidence over `report_data`, at most 64 bytes."""
        return self._tee.evidence(report_data.ljust(REPORT_DATA_LENGTH, b"\0"))

    def activate_credential(self, credential: Credential) -> bytes:
        """Return what the simulated TPM gives back for a challenge.

        Raises:
            PlatformError: `platform:credential`, it is not for this TPM, or this is none.
        """
        if not isinstance(self._tee, CredentialHolder):
            raise PlatformError(
                f"simulated {self._tee.name} has no TPM to challenge", code="platform:credential"
            )
        return self._tee.activate_credential(credential)

    def endorsements(self, evidence: bytes = b"") -> bytes:
        """Return collateral that is valid now, re-issued in time; empty where Evidence brings its own."""
        del evidence
        return self._tee.endorsements()

    @property
    def simulated(self) -> bool:
        """Whether the TEE is simulated: yes."""
        return True

    @property
    def security_version(self) -> int:
        """The package's security version."""
        return self._enclave.security_version

    def seal_key(self, mode: str, *, security_version: int | None = None) -> bytes:
        """Return this package's seal key on this platform, 32 bytes; `ProductKey` or `UniqueKey`.

        Raises:
            PlatformError: A security version above the package's own.
        """
        return self._directory.platform.seal_key(
            self._enclave, SealMode(mode), security_version=security_version
        )

    def trust_root(self) -> TrustRoot:
        """Return the throw-away root; its name says "simulated"."""
        return self._tee.trust_root()

    def describe(self) -> str:
        """Return platform and package in one line."""
        enclave = self._enclave
        return (
            f"simulated {self._tee.name} platform in {self._directory.path}, protects nothing; "
            f"UniqueID {enclave.unique_id.hex()}, SignerID {enclave.signer_id.hex()}, "
            f"ProductID {enclave.product_id}, SecurityVersion {enclave.security_version}"
            f"{', debug' if enclave.debug else ''}"
        )
