"""What can be wrong with Evidence, its Endorsements, and the packages it speaks about.

    AttestationError
      EvidenceFormatError      the Evidence cannot be read
      EndorsementFormatError   the collateral cannot be read
      VerificationError        a signature, chain, revocation list or date does not hold
      AppraisalError           genuine, but not what the Reference Values want
      PackageError             a package on disk cannot be loaded, measured or signed
      PlatformError            the local platform cannot give Evidence
      EndorserError            no collateral for this Evidence
        EndorserUnreachable    there may be, but it has to be fetched and cannot be
          EndorserExhausted    it is not fetched: too many unknown platforms were asked for

A code reads `class:subject`, for example `expired:crl` or `signature:quote`; both parts are stable.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from sealmesh.errors.base import Kind, SealmeshError

_REMEDIES = {
    "format": "Send the bytes exactly as the platform made them.",
    "limit": "Nothing genuine is this large; look at what was sent.",
    "signature": "The bytes were changed, or were made by somebody else. Do not trust them.",
    "crl sig": "Give the trust root that issued these certificates, or collateral of this platform.",
    "crl issuer": "Fetch the revocation list of the CA that issued this platform's PCK certificate.",
    "ocsp sig": "Fetch the OCSP response again, from the CA's own responder.",
    "ocsp certificate": "Give the OCSP responses about the certificates of this device.",
    "ocsp status": "Ask the vendor about this certificate; its CA does not vouch for it.",
    "ocsp scope": "Fetch a response with a next update.",
    "crl scope": "Fetch the CA's complete revocation list.",
    "root": "Give the trust root that issued these certificates, or collateral of this platform.",
    "chain": "Fetch the certificate chain again; it does not fit together.",
    "profile": "These certificates do not follow the vendor's certificate profile. Do not trust them.",
    "expired": "Fetch fresh collateral, or look at the clock.",
    "revoked": "The vendor withdrew this certificate; the platform cannot be trusted.",
    "fmspc": "Fetch the TCB info for the FMSPC of this platform.",
    "pceid": "Fetch the TCB info for the PCEID of this platform.",
    "tcb_info": "Fetch the TCB info for this kind of TEE and platform.",
    "qe_identity": "Fetch the QE identity for this kind of TEE.",
    "qe identity": "The quoting enclave is not the vendor's. Do not trust the quote.",
    "binding": "The attestation key is not the quoting enclave's. Do not trust the quote.",
    "tdx module": "The TDX module is not the vendor's. Do not trust the quote.",
    "product": "Give the certificates of the processor that made this report.",
    "tcb": "Fetch the VCEK or VLEK certificate for the TCB version that this report names.",
    "chip id": "Fetch the VCEK certificate of the processor that made this report.",
    "signing key": "Give the certificate of the kind of key that signed this report (VCEK or VLEK).",
    "nonce": "The Evidence answers another challenge; ask for fresh Evidence.",
    "pcr digest": "The PCR values are not those that were quoted. Do not trust them.",
    "pcr selection": "Send the value of every PCR that the quote selects, and no others.",
    "challenge": "Join without --legacy, so that the TPM answers a challenge of this Coordinator; or make "
    "the TPM's attestation key known to it: --trust-roots tpm:NAME=SHA256.",
    "trust anchor": "Register this platform's attestation key, or look at where the token comes from.",
    "event log": "The event log does not lead to these PCR values. Do not trust it.",
    "collateral": "Give the endorsements of this family of TEE.",
    "roots": "Name at least one trust root for this family of TEE.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """One claim that was not as wanted.

    Attributes:
        field: The name of the claim, as the Manifest spells it (`UniqueID`, `ProductID`, ...).
        found: What the Evidence says.
        wanted: What the Reference Values accept.
    """

    field: str
    found: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.field}: found {self.found}, wanted {self.wanted}"


class AttestationError(SealmeshError):
    """Evidence, Endorsements or a package that cannot be accepted."""

    code = "attestation"
    kind: ClassVar[Kind] = Kind.DENIED

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        found: object = None,
        wanted: object = None,
        remedy: str | None = None,
    ) -> None:
        if remedy is None and code is not None:
            remedy = _REMEDIES.get(code.partition(":")[0])
        super().__init__(message, code=code, found=found, wanted=wanted, remedy=remedy)


class EvidenceFormatError(AttestationError):
    """The Evidence is not of a known form: wrong lengths, trailing bytes, unknown version."""

    code = "format:evidence"
    kind: ClassVar[Kind] = Kind.INVALID
    remedy = "Send the Evidence as the platform made it."


class EndorsementFormatError(AttestationError):
    """The collateral is not of a known form."""

    code = "format:collateral"
    kind: ClassVar[Kind] = Kind.INVALID
    remedy = "Fetch the collateral again, in a form that docs/attestation/overview.md names."


class VerificationError(AttestationError):
    """The Evidence is not genuine, or cannot be shown to be genuine at the given time."""

    code = "verification"
    remedy = "See whether the Evidence is of this platform and its collateral fresh, and check the clock."


class AppraisalError(AttestationError):
    """Genuine Evidence of something that the Reference Values do not accept.

    Args:
        mismatches: Every claim that was refused, not only the first.
    """

    code = "appraisal"
    remedy = "Run the software that the Manifest names, or set a Manifest that accepts this one."

    def __init__(self, mismatches: Sequence[Mismatch]) -> None:
        self.mismatches = tuple(mismatches)
        super().__init__("the Evidence is not accepted: " + "; ".join(map(str, self.mismatches)))


class PackageError(AttestationError):
    """A package on disk cannot be read, measured, signed or started."""

    code = "package"
    kind: ClassVar[Kind] = Kind.CONFIGURATION


class PlatformError(AttestationError):
    """The local platform cannot give Evidence."""

    code = "platform"
    kind: ClassVar[Kind] = Kind.CONFIGURATION


class EndorserError(AttestationError):
    """There is no collateral for this Evidence."""

    code = "endorser"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    remedy = "Give the Coordinator the collateral of this platform (file, directory or platform directory)."


class EndorserUnreachable(EndorserError):
    """What is needed has to be fetched, and its server gives nothing that can be used.

    Never taken for "there is none": revocation lists could be kept away like that.

    Args:
        url: What was asked for.
        found: What came instead.
        wanted: What would have served.
    """

    code = "endorser:unreachable"
    remedy = (
        "Look at the endorsement server and the way to it, or give the collateral as files (--collateral)."
    )

    def __init__(self, url: str, *, found: object = None, wanted: object = "what it publishes") -> None:
        super().__init__(f"{url} cannot be fetched", found=found, wanted=wanted)


class EndorserExhausted(EndorserUnreachable):
    """Nothing is fetched for platforms of this family that nobody has seen, for a while.

    Args:
        family: The family of TEE whose bucket is empty.
        limit: How many such fetches an hour has.
        wait: When there may be the next.
    """

    code = "endorser:limit"
    remedy = (
        "Try again later. If these are your machines, fetch their collateral beforehand (`sealmesh "
        "collateral bundle`, --collateral) or raise --endorser-limit; else somebody makes platforms up."
    )

    def __init__(self, family: str, *, limit: int, wait: timedelta) -> None:
        AttestationError.__init__(
            self,
            f"too many platforms of family {family} that were never seen before ask for endorsements",
            found=f"{limit} fetches spent, the next in {wait.total_seconds():.0f} seconds",
            wanted=f"at most {limit} unknown platforms of a family in an hour",
        )
