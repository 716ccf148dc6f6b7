"""A memory of platforms, collateral and certificate chains that were verified before."""

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Protocol, TypeVar, cast

from sealmesh.attestation.dcap.collateral import UnverifiedCollateral
from sealmesh.attestation.dcap.endorsements import VerifiedEndorsements, verify_endorsements
from sealmesh.attestation.dcap.pck import pck_chain_of
from sealmesh.attestation.dcap.platform import VerifiedPlatform, verify_platform
from sealmesh.attestation.dcap.quote_signature import CertifiedKey, certify_key
from sealmesh.attestation.dcap.signature_data import KeyCertification
from sealmesh.attestation.family import Family
from sealmesh.attestation.roots import TrustRoot
from sealmesh.attestation.validity import Validity


class Remembered(Protocol):
    """The outcome of a verification that can be remembered."""

    @property
    def root(self) -> TrustRoot:
        """The trust root it was verified under."""

    @property
    def validity(self) -> Validity:
        """When everything that was checked is valid."""


_KINDS = 64
"""Collateral documents that are remembered apart from platforms: a mesh has few kinds of machines."""

RememberedT = TypeVar("RememberedT", bound=Remembered)


class _Memory:
    """Some outcomes by the digest of everything that they depend on besides roots and time."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._entries: dict[bytes, Remembered] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def recall(
        self, key: bytes, verify: Callable[[], RememberedT], *, roots: Sequence[TrustRoot], now: datetime
    ) -> RememberedT:
        """Return what `verify` returned for `key` before if it still holds, else call it."""
        known = self._entries.get(key)
        if known is not None and _holds(known, roots, now):
            return cast("RememberedT", known)
        verified = verify()
        kept = list(self._entries.items())[-(self._capacity - 1) :] if self._capacity > 1 else []
        self._entries = {**dict(kept), key: verified}
        return verified


class VerificationCache:
    """Remembers the verification of certificates, attestation keys and collateral, never that of a quote.

    An entry is found only by the SHA-256 of exactly the bytes that were checked (certificates, the
    certification of the key, and collateral), only under a root that is accepted now, and only at a time at
    which everything that was checked is valid: not after the earliest expiry, and not before the latest
    beginning. Failures are not remembered. Threads may share one: the entries are replaced as a whole, never
    changed, so the worst that two threads can do is to verify the same platform twice.

    Args:
        capacity: How many platforms, and how many of their keys, to remember; the oldest is forgotten.
    """

    def __init__(self, capacity: int = 1024) -> None:
        if capacity < 1:
            raise ValueError("a cache remembers at least one platform")
        self._platforms = _Memory(capacity)
        self._keys = _Memory(capacity)
        self._endorsements = _Memory(_KINDS)

    def __len__(self) -> int:
        return len(self._platforms)

    def verify_key(
        self,
        certification: KeyCertification,
        collateral: UnverifiedCollateral,
        *,
        family: Family,
        roots: Sequence[TrustRoot],
        now: datetime,
    ) -> CertifiedKey:
        """Do as `dcap.quote_signature.verify_key` does, or remember having done it."""

        def verify() -> CertifiedKey:
            chain = pck_chain_of(certification, collateral)
            platform = self.verify_platform(chain, collateral, family=family, roots=roots, now=now)
            return certify_key(certification, platform)

        digest = digest_of(b"dcap key", family.encode(), collateral.digest, certification.digest)
        return self._keys.recall(digest, verify, roots=roots, now=now)

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
        return self.recall(
            digest_of(b"dcap", family.encode(), collateral.digest, pck_chain),
            lambda: verify_platform(
                pck_chain,
                collateral,
                family=family,
                roots=roots,
                now=now,
                endorsements=self._endorsements_of(collateral, family=family, roots=roots, now=now),
            ),
            roots=roots,
            now=now,
        )

    def recall(
        self,
        key: bytes,
        verify: Callable[[], RememberedT],
        *,
        roots: Sequence[TrustRoot],
        now: datetime,
    ) -> RememberedT:
        """Return what `verify` returned for this key before if it still holds, else call it.

        Args:
            key: From `digest_of`: the kind of thing, which decides the type, and every byte that
                `verify` looks at besides the roots and the time.
            verify: Verifies at `now` under `roots`.
            roots: The trust roots accepted now.
            now: Aware UTC.
        """
        return self._platforms.recall(key, verify, roots=roots, now=now)

    def _endorsements_of(
        self, collateral: UnverifiedCollateral, *, family: Family, roots: Sequence[TrustRoot], now: datetime
    ) -> VerifiedEndorsements:
        """Return what is common to all platforms of a kind, by the same rules as for a platform."""
        return self._endorsements.recall(
            digest_of(b"dcap endorsements", family.encode(), collateral.digest),
            lambda: verify_endorsements(collateral, family=family, roots=roots, now=now),
            roots=roots,
            now=now,
        )


def _holds(known: Remembered, roots: Sequence[TrustRoot], now: datetime) -> bool:
    return known.root in roots and known.validity.contains(now)


def digest_of(kind: bytes, *parts: bytes) -> bytes:
    """Return the SHA-256 over a kind of thing and its parts, each with its length."""
    return sha256(b"".join([len(part).to_bytes(8, "big") + part for part in (kind, *parts)])).digest()
