"""How one program looks in each simulated TEE of a platform directory."""

from collections.abc import Callable, Mapping
from typing import Protocol

from sealmesh.adapters.attester.platform import PlatformDirectory
from sealmesh.attestation import Family, TrustRoot
from sealmesh.attestation.simulated import (
    SimulatedBoot,
    SimulatedEnclave,
    SimulatedGuest,
    SimulatedNitroEnclave,
    SimulatedTd,
    td_quote,
)
from sealmesh.attestation.tpm import Credential


class SimulatedTee(Protocol):
    """One program in one TEE."""

    @property
    def name(self) -> str:
        """What people call the TEE."""

    def evidence(self, report_data: bytes) -> bytes:
        """Return Evidence over 64 bytes."""

    def endorsements(self) -> bytes:
        """Return collateral; empty where Evidence brings its own."""

    def trust_root(self) -> TrustRoot:
        """Return the throw-away root."""


class _Sgx:
    name = "SGX"

    def __init__(self, directory: PlatformDirectory, program: SimulatedEnclave) -> None:
        self._directory = directory
        self._program = program

    def evidence(self, report_data: bytes) -> bytes:
        return self._directory.platform.quote(self._program, report_data)

    def endorsements(self) -> bytes:
        return self._directory.collateral()

    def trust_root(self) -> TrustRoot:
        return self._directory.trust_root


class _Tdx:
    name = "TDX"

    def __init__(self, directory: PlatformDirectory, program: SimulatedEnclave) -> None:
        self._directory = directory
        self._td = SimulatedTd.of(program)

    def evidence(self, report_data: bytes) -> bytes:
        return td_quote(self._directory.platform, self._td, report_data)

    def endorsements(self) -> bytes:
        return self._directory.collateral(Family.TDX)

    def trust_root(self) -> TrustRoot:
        return self._directory.platform.vendor.trust_root_for(Family.TDX)


class _Snp:
    name = "SNP"

    def __init__(self, directory: PlatformDirectory, program: SimulatedEnclave) -> None:
        self._chip = directory.chip()
        self._guest = SimulatedGuest.of(program)

    def evidence(self, report_data: bytes) -> bytes:
        return self._chip.report(self._guest, report_data)

    def endorsements(self) -> bytes:
        return b""

    def trust_root(self) -> TrustRoot:
        return self._chip.trust_root


class _Nitro:
    name = "Nitro"

    def __init__(self, directory: PlatformDirectory, program: SimulatedEnclave) -> None:
        self._directory = directory
        self._hypervisor = directory.hypervisor()
        self._enclave = SimulatedNitroEnclave.of(program)

    def evidence(self, report_data: bytes) -> bytes:
        return self._hypervisor.document(self._enclave, report_data, now=self._directory.clock())

    def endorsements(self) -> bytes:
        return b""

    def trust_root(self) -> TrustRoot:
        return self._hypervisor.trust_root


class _Tpm:
    name = "TPM"

    def __init__(self, directory: PlatformDirectory, program: SimulatedEnclave) -> None:
        self._directory = directory
        self._tpm = directory.tpm()
        self._boot = SimulatedBoot.of(program)

    def evidence(self, report_data: bytes) -> bytes:
        return self._tpm.evidence(self._boot, report_data.rstrip(b"\0"), now=self._directory.clock())

    def endorsements(self) -> bytes:
        return b""

    def trust_root(self) -> TrustRoot:
        """Return the attestation key, which needs no challenge: whoever asks here cannot pose one."""
        return self._tpm.given_key

    def activate_credential(self, credential: Credential) -> bytes:
        return self._tpm.activate(credential)


TEES: Mapping[Family, Callable[[PlatformDirectory, SimulatedEnclave], SimulatedTee]] = {
    Family.SGX: _Sgx,
    Family.TDX: _Tdx,
    Family.SNP: _Snp,
    Family.NITRO: _Nitro,
    Family.TPM: _Tpm,
}
"""The families that a simulated platform has."""
