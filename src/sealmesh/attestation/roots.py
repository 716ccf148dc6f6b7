"""Trust roots: whose word about hardware is believed.

A root is named by the fingerprint of its certificate; the certificate itself comes with the Evidence
and the collateral. Where a family trusts a bare key (CCA's platform key, a TPM's attestation key), the
fingerprint is that of its SubjectPublicKeyInfo. A root counts for one family only. That a root belongs
to a simulation is a fact which travels with the result; no verifier looks at it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sealmesh.attestation.family import Family
from sealmesh.errors.attestation import VerificationError


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRoot:
    """A vendor's root, by fingerprint.

    Attributes:
        name: What people call it; shows in status, log and statement.
        family: The only family it may vouch for.
        sha256: SHA-256 of the root certificate's DER, or of a bare key's SubjectPublicKeyInfo, 32 bytes.
        simulated: Whether this is the root of a simulated platform. Carried, never a reason to
            verify less.
    """

    name: str
    family: Family
    sha256: bytes
    simulated: bool = False

    def __post_init__(self) -> None:
        if len(self.sha256) != 32:
            raise ValueError("a trust root is the SHA-256 of its certificate's DER, 32 bytes")


_INTEL_SGX_ROOT_CA = bytes.fromhex("44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3")

INTEL = TrustRoot(name="intel", family=Family.SGX, sha256=_INTEL_SGX_ROOT_CA)
"""Intel SGX Root CA (P-256, 2018 to 2049), for SGX quotes."""

INTEL_TDX = TrustRoot(name="intel", family=Family.TDX, sha256=_INTEL_SGX_ROOT_CA)
"""The same certificate, for TDX quotes."""

AMD_MILAN = TrustRoot(
    name="amd-milan",
    family=Family.SNP,
    sha256=bytes.fromhex("69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd"),
)
"""ARK-Milan (RSA-4096, 2020 to 2045)."""

AMD_GENOA = TrustRoot(
    name="amd-genoa",
    family=Family.SNP,
    sha256=bytes.fromhex("4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1"),
)
"""ARK-Genoa (RSA-4096)."""

AMD_TURIN = TrustRoot(
    name="amd-turin",
    family=Family.SNP,
    sha256=bytes.fromhex("1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a"),
)
"""ARK-Turin (RSA-4096, 2023 to 2048)."""

AWS_NITRO = TrustRoot(
    name="aws-nitro",
    family=Family.NITRO,
    sha256=bytes.fromhex("641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b"),
)
"""AWS Nitro Enclaves Root G1 (P-384, 2019 to 2049); AWS publishes this fingerprint."""

NVIDIA = TrustRoot(
    name="nvidia",
    family=Family.GPU,
    sha256=bytes.fromhex("102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48"),
)
"""NVIDIA Device Identity CA (P-384, from 2021)."""


def _for_azure(root: TrustRoot) -> TrustRoot:
    return TrustRoot(name=f"azure-{root.name}", family=Family.AZURE, sha256=root.sha256)


VENDOR_ROOTS: Mapping[str, TrustRoot] = {
    "intel": INTEL,
    "intel-tdx": INTEL_TDX,
    "amd-milan": AMD_MILAN,
    "amd-genoa": AMD_GENOA,
    "amd-turin": AMD_TURIN,
    "aws-nitro": AWS_NITRO,
    "nvidia": NVIDIA,
    **{f"azure-{root.name}": _for_azure(root) for root in (INTEL_TDX, AMD_MILAN, AMD_GENOA, AMD_TURIN)},
}
"""The vendors' roots by the name that a configuration gives them; `azure-...` are those under Azure's VMs."""


def roots_for(family: Family, roots: Sequence[TrustRoot]) -> tuple[TrustRoot, ...]:
    """Return the roots that may vouch for `family`.

    Raises:
        VerificationError: `roots:none`, no root counts for this family. An empty list never means
            that anything goes.
    """
    accepted = tuple(root for root in roots if root.family is family)
    if not accepted:
        raise VerificationError(
            f"no trust root for {family} Evidence",
            code="roots:none",
            found=", ".join(f"{root.name} ({root.family})" for root in roots) or "no roots at all",
        )
    return accepted
