"""Trust roots: whose word about hardware is believed.

A root is named by the fingerprint of its certificate; the certificate itself comes with the Evidence
and the collateral. A root counts for one family only. That a root belongs to a simulation is a fact
which travels with the result; no verifier looks at it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sealmesh.attestation.family import Family
from sealmesh.errors.attestation import VerificationError


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRoot:
    """A vendor's root, by fingerprint.

    Attributes:
        name: What people call it; shows in status, log and statement.
        family: The only family it may vouch for.
        sha256: SHA-256 of the root certificate's DER, 32 bytes.
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
