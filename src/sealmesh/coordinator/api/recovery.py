"""How a sealed state is opened again."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverReply:
    """How many recovery secrets are still missing; 0 when the Coordinator runs again.

    Attributes:
        remark: What the owners must know about the state that they recovered.
    """

    remaining: int
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerShare:
    """A plain share, and its owner's signature over it; empty where there is none."""

    share: bytes
    signature: bytes = b""

    def __repr__(self) -> str:
        return "OwnerShare()"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareReply:
    """A drill's verdict on one share.

    Attributes:
        problem: Why a recovery would refuse it; empty where it would not.
        owner: The recovery key that signed it; empty where none did, or that is not known yet.
    """

    problem: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillReply:
    """What a recovery with these shares would come to.

    Attributes:
        owners: How many recovery keys there are.
        threshold: How many shares are needed.
        opens: The shares that are this state's were enough, and the whole state opened with them.
        remark: What the owners must know about the state: that it is an older copy.
        shares: By the labels of the request.
    """

    owners: int
    threshold: int
    opens: bool
    remark: str
    shares: Mapping[str, ShareReply]

    @property
    def passed(self) -> bool:
        """Whether a recovery with exactly these shares would succeed."""
        return self.opens and not any(share.problem for share in self.shares.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryStatus:
    """Why a state waits for recovery, and how far that is."""

    reason: str
    owners: int
    threshold: int
    given: int
