"""A memory of platforms that were verified before."""

from collections.abc import Sequence
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA256, Hash

from sealmesh.attestation.dcap.collateral import UnverifiedCollateral
from sealmesh.attestation.dcap.platform import VerifiedPlatform, verify_platform
from sealmesh.attestation.family import Family
from sealmesh.attestation.roots import TrustRoot


class VerificationCache:
    """Remembers the verification of certificates and collateral, never that of a quote.

    An entry is found only by the SHA-256 of exactly the bytes that were checked (PCK chain and
    collateral), only under a root that is accepted now, and only at a time at which everything that
    was checked is valid: not after the earliest expiry, and not before the latest beginning.
    Failures are not remembered. Threads may share one: the entries are replaced as a whole, never
    changed, so the worst that two threads can do is to verify the same platform twice.

    Args:
        capacity: How many platforms to remember; the oldest is forgotten.
    """

    def __init__(self, capacity: int = 1024) -> None:
        if capacity < 1:
            raise ValueError("a cache remembers at least one platform")
        self._capacity = capacity
        self._entries: dict[bytes, VerifiedPlatform] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def verify_platform(
        self,
        pck_chain: bytes,
        collateral: UnverifiedCollateral,
        *,
        family: Family,
        roots: Sequence[TrustRoot],
        now: datetime,
    ) -> VerifiedPlatform:
        """Do as `dcap.platform.verify_platform` does, or remember having done it."""
        key = _key(pck_chain, collateral, family)
        known = self._entries.get(key)
        if known is not None and known.root in roots and known.validity.contains(now):
            return known
        verified = verify_platform(pck_chain, collateral, family=family, roots=roots, now=now)
        kept = list(self._entries.items())[-(self._capacity - 1) :] if self._capacity > 1 else []
        self._entries = {**dict(kept), key: verified}
        return verified


def _key(pck_chain: bytes, collateral: UnverifiedCollateral, family: Family) -> bytes:
    digest = Hash(SHA256())
    digest.update(family.encode() + b"\0" + collateral.digest)
    digest.update(pck_chain)
    return digest.finalize()
