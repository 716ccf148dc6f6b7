"""What a command comes to."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sealmesh.coordinator.ports import Change

Reply = TypeVar("Reply", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(Generic[Reply]):
    """The change to commit and the reply to give once it is committed."""

    reply: Reply
    change: Change = field(default_factory=Change)
