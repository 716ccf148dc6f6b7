"""What several people have to approve before it is done."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class GovernedAct(StrEnum):
    """Kinds of acts that a manifest can reserve to several (read in exactly this case)."""

    UPDATE_MANIFEST = "UpdateManifest"
    UPDATE_PACKAGES = "UpdatePackages"
    WRITE_SECRETS = "WriteSecrets"
    READ_SECRETS = "ReadSecrets"
    CANCEL_UPDATE = "CancelUpdate"
    RECOVER = "Recover"
    RESET = "Reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approver:
    """One person, however many keys he has.

    Attributes:
        keys: SubjectPublicKeyInfo (DER) of his keys, in the one encoding that `cryptography` writes, so that
            a key written in two ways is still one.
    """

    keys: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRule:
    """So many of these people have to approve.

    Attributes:
        threshold: At least 1.
        approvers: Names under `Approvers`.
    """

    threshold: int
    approvers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Governance:
    """Who has to approve what. It only ever adds to what roles and `UpdateThreshold` ask for.

    Attributes:
        rules: An act without one is as free as its roles make it.
    """

    approvers: Mapping[str, Approver]
    rules: Mapping[GovernedAct, ApprovalRule]
