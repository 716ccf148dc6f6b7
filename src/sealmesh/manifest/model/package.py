"""Packages and infrastructures: which software, on which hardware."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256, Hash

from sealmesh.attestation import Reference

_FINGERPRINT = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """Reference Values of one program (COMPAT section 8, `Packages`).

    Attributes:
        debug: Whether the enclave must be a debug one. A debug package needs no other value.
        unique_id: MRENCLAVE in hex, any case; empty if not given.
        signer_id: MRSIGNER in hex, any case; empty if not given.
        product_id: ISVPRODID to equal, None if not given (0 is a value).
        security_version: Lowest ISVSVN that is accepted, None if not given.
        accepted_tcb_statuses: None if not given; `UpToDate` is accepted always.
        accepted_advisories: None if not given: then advisories are not looked at.
        evidence: The accepted forms of Evidence, over all families of TEEs, of which one must be met; None:
            an SGX enclave, as the other fields have it. Then those are not given.
    """

    debug: bool = False
    unique_id: str = ""
    signer_id: str = ""
    product_id: int | None = None
    security_version: int | None = None
    accepted_tcb_statuses: tuple[str, ...] | None = None
    accepted_advisories: tuple[str, ...] | None = None
    evidence: tuple[Reference, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Infrastructure:
    """Properties that a machine must have (COMPAT section 8, `Infrastructures`); what is not given, any has.

    Attributes:
        cpu_svn: 16 bytes, raw, to equal; empty if not given.
        root_ca: The root certificate in DER, or its SHA-256; empty if not given.
        qe_svn: Lowest version of the quoting enclave.
        pce_svn: Lowest version of the provisioning certification enclave.
        fmspcs: Accepted kinds of platforms, 6 bytes each.
        platform_ids: Accepted machines: PPIDs, chip IDs, instance IDs.
        regions: Accepted regions, as the cloud names them.
    """

    cpu_svn: bytes = b""
    root_ca: bytes = b""
    qe_svn: int | None = None
    pce_svn: int | None = None
    fmspcs: frozenset[bytes] | None = None
    platform_ids: frozenset[bytes] | None = None
    regions: frozenset[str] | None = None

    @property
    def root_sha256(self) -> bytes:
        """The fingerprint of the root, or nothing."""
        if len(self.root_ca) in (0, _FINGERPRINT):
            return self.root_ca
        digest = Hash(SHA256())
        digest.update(self.root_ca)
        return digest.finalize()
