"""The time during which a set of checked things holds."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sealmesh.errors.attestation import VerificationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """A span of time, both ends included; aware UTC."""

    not_before: datetime
    not_after: datetime

    def contains(self, now: datetime) -> bool:
        """Return whether `now` lies in the span."""
        return self.not_before <= now <= self.not_after

    def intersect(self, other: "Validity") -> "Validity":
        """Return the span in which both hold; it may be empty."""
        return Validity(
            not_before=max(self.not_before, other.not_before), not_after=min(self.not_after, other.not_after)
        )

    def verify_contains(self, now: datetime, *, subject: str, name: str) -> None:
        """Accept only if `now` lies in the span.

        Raises:
            VerificationError: `expired:<subject>`, also for what is not valid yet.
        """
        if not self.contains(now):
            verb = "is not valid yet" if now < self.not_before else "has expired"
            raise VerificationError(
                f"the {name} {verb}",
                code=f"expired:{subject}",
                found=f"{now:%Y-%m-%dT%H:%M:%SZ}",
                wanted=f"{self.not_before:%Y-%m-%dT%H:%M:%SZ} to {self.not_after:%Y-%m-%dT%H:%M:%SZ}",
            )


ALWAYS = Validity(
    not_before=datetime(1970, 1, 1, tzinfo=UTC), not_after=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
)
"""Nothing that was checked has dates: bare keys. The end is RFC 5280's "no well-defined expiration date"."""
