"""What a command comes to."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sealmesh.coordinator.ports import Change, SealPlan

Reply = TypeVar("Reply", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(Generic[Reply]):
    """The change to commit and the reply to give once it is committed.

    Attributes:
        rekey: Commit under a new key, with new recovery shares.
    """

    reply: Reply
    change: Change = field(default_factory=Change)
    rekey: SealPlan | None = None
