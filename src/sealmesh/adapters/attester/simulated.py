"""The Attester of a simulated SGX platform."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sealmesh.adapters.attester.package import LoadedPackage
from sealmesh.adapters.attester.platform import open_or_create
from sealmesh.adapters.clock import system_clock, system_entropy
from sealmesh.attestation import REPORT_DATA_LENGTH, TrustRoot
from sealmesh.attestation.simulated import SealMode


class SimulatedAttester:
    """Gives byte-exact SGX Evidence of a package, made without any SGX.

    Starting it is what starting an enclave is: a package that is not signed, or not as it was signed,
    is refused here.

    Args:
        platform_dir: The simulated platform; made where there is none.
        package: What this process runs; measured when it was loaded.
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
        clock: Callable[[], datetime] = system_clock,
        entropy: Callable[[int], bytes] = system_entropy,
    ) -> None:
        self._enclave = package.verify_signed()
        self._directory = open_or_create(platform_dir, clock=clock, entropy=entropy)

    def evidence(self, report_data: bytes) -> bytes:
        """Return a quote over `report_data`, at most 64 bytes."""
        return self._directory.platform.quote(self._enclave, report_data.ljust(REPORT_DATA_LENGTH, b"\0"))

    def endorsements(self) -> bytes:
        """Return collateral that is valid now; re-issued in time."""
        return self._directory.collateral()

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
        return self._directory.trust_root

    def describe(self) -> str:
        """Return platform and package in one line."""
        enclave = self._enclave
        return (
            f"simulated SGX platform in {self._directory.path}, protects nothing; "
            f"UniqueID {enclave.unique_id.hex()}, SignerID {enclave.signer_id.hex()}, "
            f"ProductID {enclave.product_id}, SecurityVersion {enclave.security_version}"
            f"{', debug' if enclave.debug else ''}"
        )
