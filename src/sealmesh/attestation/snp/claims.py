"""What a verified SNP report says."""

from dataclasses import dataclass

from sealmesh.attestation.snp.tcb import SnpTcb


@dataclass(frozen=True, slots=True, kw_only=True)
class SnpClaims:
    """Facts about an SNP guest and the processor it runs on. Whether they are wanted is for `appraise`.

    Attributes:
        version: Of the report, 2 to 5.
        product: The processor, as its certificate names it.
        signing_key: `VCEK` or `VLEK`.
        csp_id: With a VLEK, the cloud provider it belongs to.
        vmpl: The privilege level that asked, 0 is the highest.
        debug: Whether the host may read the guest's memory (policy bit 19).
        migrate_ma: Whether the guest may be moved by a migration agent (policy bit 18).
        smt: Whether sibling threads are enabled on this host (platform info bit 0).
        guest_svn: Security version from the ID block.
        policy: The guest policy's 64 bits.
        family_id: 16 bytes of the ID block.
        image_id: 16 bytes of the ID block.
        measurement: 48 bytes, the launch digest.
        report_data: 64 bytes that the guest chose.
        host_data: 32 bytes that the host chose.
        id_key_digest: 48 bytes; zero without ID block.
        author_key_digest: 48 bytes; zero without author key.
        chip_id: 64 bytes; zero where the host masks it, only possible with a VLEK.
        platform_info: 64 bits.
        reported_tcb: The version whose key signed.
        committed_tcb: The version below which the host cannot go back.
        current_tcb: The version that runs; above `committed_tcb` it is provisional.
        launch_tcb: The version that ran at launch.
        cpuid: Family, model and stepping; None before version 3.
        report_id: 32 bytes, this guest.
        current_mitigations: Bits; 0 before version 5.
        launch_mitigations: Bits; 0 before version 5.
    """

    version: int
    product: str
    signing_key: str
    csp_id: str | None
    vmpl: int
    debug: bool
    migrate_ma: bool
    smt: bool
    guest_svn: int
    policy: int
    family_id: bytes
    image_id: bytes
    measurement: bytes
    report_data: bytes
    host_data: bytes
    id_key_digest: bytes
    author_key_digest: bytes
    chip_id: bytes
    platform_info: int
    reported_tcb: SnpTcb
    committed_tcb: SnpTcb
    current_tcb: SnpTcb
    launch_tcb: SnpTcb
    cpuid: tuple[int, int, int] | None
    report_id: bytes
    current_mitigations: int
    launch_mitigations: int
