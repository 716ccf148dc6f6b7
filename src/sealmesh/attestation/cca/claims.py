"""What a verified CCA token says."""

from dataclasses import dataclass

from sealmesh.attestation.cca.token import SoftwareComponent


@dataclass(frozen=True, slots=True, kw_only=True)
class CcaClaims:
    """Facts about a realm and the platform it runs on. Whether they are wanted is for `appraise`.

    Attributes:
        profile: Of the platform token.
        implementation_id: 32 bytes, the kind of platform.
        instance_id: 33 bytes, this one platform.
        lifecycle: 16 bits; 0x3000 to 0x30FF are "secured", everything else may be open to debuggers.
        config: The platform's configuration, as the implementation defines it.
        platform_hash_alg: What the platform's measurements are made with.
        sw_components: The platform's firmware.
        verification_service: Where the platform says it can be verified, or None.
        realm_challenge: 64 bytes that the realm chose.
        personalization: 64 bytes that the host gave to the realm at creation.
        rim: The realm's initial measurement.
        rem: Four extensible measurements.
        hash_alg: What the realm's measurements are made with.
    """

    profile: str
    implementation_id: bytes
    instance_id: bytes
    lifecycle: int
    config: bytes
    platform_hash_alg: str
    sw_components: tuple[SoftwareComponent, ...]
    verification_service: str | None
    realm_challenge: bytes
    personalization: bytes
    rim: bytes
    rem: tuple[bytes, ...]
    hash_alg: str

    @property
    def secured(self) -> bool:
        """Whether the platform is in its secured lifecycle state (DEN0137, "Platform lifecycle")."""
        return self.lifecycle >> 8 == 0x30
