"""Where our verdict differs from dcap-qvl's on purpose: each difference with its reason.

A verdict is written as `valid STATUS` or `refused REASON`: our stable code, dcap-qvl's message.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A kind of difference that is accepted: both patterns must match the whole verdict.

    Attributes:
        reason: Why ours is right, or why both are.
        ours: Pattern of our verdict.
        theirs: Pattern of dcap-qvl's.
        change: Pattern that must occur in what was changed, where the verdicts alone would cover too much.
    """

    reason: str
    ours: str
    theirs: str
    change: str = ""

    def covers(self, ours: str, theirs: str, change: str) -> bool:
        found = re.fullmatch(self.ours, ours, re.DOTALL) and re.fullmatch(self.theirs, theirs, re.DOTALL)
        return found is not None and re.search(self.change, change) is not None


VALID = r"valid \w+"

DIFFERENCES = {
    # Facts of genuine Evidence: dcap-qvl's one call decides about them, ours leaves them to `appraise`.
    "debug": Difference(
        reason="A debug enclave is genuine Evidence; `appraise` refuses it unless the reference says debug.",
        ours=VALID,
        theirs=r".*Debug mode is enabled.*",
    ),
    "service TD": Difference(
        reason="MR_SERVICE_TD is a claim; TdxReference wants none unless it names one.",
        ours=VALID,
        theirs=r".*Invalid MR service TD.*",
    ),
    "SEPT_VE_DISABLE": Difference(
        reason="Intel's QVL does not look at it; TdxReference wants it set by default.",
        ours=VALID,
        theirs=r".*SEPT_VE_DISABLE is not enabled.*",
    ),
    "reserved TD attributes": Difference(
        reason="Attributes are a claim. The TDX module starts no TD with bits that it does not know, and "
        "Intel's QVL does not look at them.",
        ours=VALID,
        theirs=r".*(Reserved bits in TD attributes are set|[A-Z_]+ is enabled).*",
    ),
    "revoked TCB": Difference(
        reason="A TCB level that is Revoked is a status, which `appraise` accepts under no policy.",
        ours=r"valid Revoked",
        theirs=r".*TCB status is invalid: Revoked.*",
    ),
    "no TCB level": Difference(
        reason="No level reached: Intel's QVL reports it as a status; `appraise` never accepts NotSupported.",
        ours=r"valid NotSupported",
        theirs=r".*(No matching TCB level found|TDX module ISVSVN \d+ is below minim).*",
    ),
    "no QE level": Difference(
        reason="A quoting enclave below every level counts as Revoked in Intel's QVL; never accepted.",
        ours=r"valid (Revoked|NotSupported)",
        theirs=r".*(No TCB levels found in QE Identity|QE ISVSVN \d+ is below minimum).*",
    ),
    "odd QE or module status": Difference(
        reason="Intel gives enclaves and modules only UpToDate, OutOfDate and Revoked. With any other the "
        "platform counts as outdated; dcap-qvl refuses most and lets some have no effect.",
        ours=r"valid (OutOfDate|OutOfDateConfigurationNeeded)",
        theirs=r".*Unrecognized TCB status .*|valid (UpToDate|SWHardeningNeeded|ConfigurationNeeded)",
        change=r"(QE identity|tdxModuleIdentities).*tcbStatus",
    ),
    # Forms of input.
    "Open Enclave header": Difference(
        reason="EGo and Open Enclave send the quote behind 16 bytes of their own.",
        ours=VALID,
        theirs=r".*Unsupported quote version.*",
    ),
    "TCB info version 2": Difference(
        reason="PCS API v3 still serves it; signed by Intel all the same.",
        ours=VALID,
        theirs=r".*Failed to decode TcbInfo.*missing field `sgxtcbcomponents`.*",
    ),
    "fields that decide nothing": Difference(
        reason="tcbDate and the evaluation number have no part in the verdict.",
        ours=VALID,
        theirs=r".*missing field `(tcbEvaluationDataNumber|tcbDate)`.*",
    ),
    "trailing bytes": Difference(
        reason="A quote has one form: bytes behind it are no part of what was signed.",
        ours=r"refused format:(quote|pck chain)",
        theirs=VALID,
    ),
    "version and type of documents": Difference(
        reason="Rules of another version or TCB type must not be judged by these (PCS API v4, TCB Info).",
        ours=r"refused (tcb_info:(version|tcb type)|qe_identity:version|format:tcb_info)",
        theirs=VALID,
    ),
    # What dcap-qvl does not look at.
    "root certificates of chains": Difference(
        reason="dcap-qvl takes the root from its caller and does not read the ones in the chains; "
        "RFC 5280 path validation and Intel's QVL compare them.",
        ours=r"refused (root:\w+|format:root certificate|format:tcb signing chain|chain:root)",
        theirs=VALID,
    ),
    "PCK CRL issuer chain": Difference(
        reason="dcap-qvl does not read it and judges the CRL by the quote's chain; here the CRL's issuer "
        "must hold as well, as in Intel's QVL.",
        ours=r"refused (chain:(ca|root)|crl sig:(root|pck)|crl issuer:pck|format:(ca|root) certificate"
        r"|format:ca chain|signature:(ca|root)|expired:ca)",
        theirs=VALID,
    ),
    "CRL not yet valid": Difference(
        reason="A list from the future is not fresh (RFC 5280, 5.1.2.4); dcap-qvl reads nextUpdate only.",
        ours=r"refused expired:crl",
        theirs=VALID,
        change=r": at |now|crl of|collateral",
    ),
    "last second of a CRL": Difference(
        reason="RFC 5280, 5.1.2.5 leaves open whether nextUpdate itself is good; here it is, as notAfter.",
        ours=VALID,
        theirs=r".*CrlExpired { time: UnixTime\((\d+)\), next_update: UnixTime\(\1\) }.*",
    ),
    "PCEID": Difference(
        reason="TCB info holds for one FMSPC and PCEID (PCS API v4); Intel's QVL compares both.",
        ours=r"refused pceid",
        theirs=VALID,
    ),
    "rest of the QE's report data": Difference(
        reason="SHA-256 of key and authentication data, then 32 zero bytes (DCAP Quote Library API, A.4); "
        "dcap-qvl compares the first half.",
        ours=r"refused binding:attestation key",
        theirs=VALID,
    ),
    "QE attributes outside of their mask": Difference(
        reason="Intel's QVL masks the report only: a document that wants bits outside fits no enclave.",
        ours=r"refused qe identity:(attributes|misc ?select)",
        theirs=VALID,
    ),
}


def explain(ours: str, theirs: str, change: str = "") -> str | None:
    """Return the name of the difference that covers two verdicts about a change, None when nothing does."""
    covering = (name for name, known in DIFFERENCES.items() if known.covers(ours, theirs, change))
    return next(covering, None)
