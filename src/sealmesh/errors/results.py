"""What can be wrong with an Attestation Result, or with asking for one.

ResultError
  ResultFormatError        the token cannot be read
  ResultVerificationError  it is not of whom one trusts, or not valid now
  ResultRefused            it is genuine, and what it says is not good enough
  ResultUnknown            there is nothing of which a result could be made
"""

from typing import ClassVar

from sealmesh.errors.base import Kind, SealmeshError


class ResultError(SealmeshError):
    """Root of this area."""

    code = "result"
    kind: ClassVar[Kind] = Kind.DENIED


class ResultFormatError(ResultError):
    """The token is not an EAR as it must be: form, algorithm, profile, claims."""

    code = "result-format"
    kind: ClassVar[Kind] = Kind.INVALID
    remedy = "Give the token exactly as its verifier made it, an EAR of docs/attestation/results.md."


class ResultVerificationError(ResultError):
    """The token's signature, its signer's chain, its time or its nonce does not hold."""

    code = "result-signature"
    remedy = "Do not trust this result. Ask its verifier for a fresh one, and look at the root and the clock."


class ResultRefused(ResultError):
    """A genuine result whose status is worse than what is accepted."""

    code = "result-status"
    remedy = "Read what it says about each Attester; accept a worse status only on purpose (--accept)."


class ResultUnknown(ResultError):
    """There is no admission, or none any more, of which a result could be made."""

    code = "result-unknown"
    kind: ClassVar[Kind] = Kind.NOT_FOUND
    remedy = "Let the Marble activate again or renew its certificate, then ask again."
