"""What can be wrong with an approval, and acts that are not approved."""

from sealmesh.errors.base import Kind, SealmeshError


class ApprovalError(SealmeshError):
    """Root of this area."""

    code = "approval"


class ApprovalFormatError(ApprovalError):
    """The file is not an approval, or what it says cannot be said in one."""

    code = "approval-format"


class ApprovalRefused(ApprovalError):
    """The approval does not count: who signed it, what for, until when, or that it was used."""

    code = "approval-refused"
    kind = Kind.DENIED


class ApprovalsMissing(ApprovalError):
    """The manifest reserves this to several, and not enough of them have approved exactly this."""

    code = "approvals-missing"
    kind = Kind.DENIED


class SigningFailed(ApprovalError):
    """The key for an approval cannot be used."""

    code = "approval-signing"
    kind = Kind.CONFIGURATION
