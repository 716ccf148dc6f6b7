"""Packages and infrastructures: which software, on which hardware."""

from dataclasses import dataclass

from sealmesh.attestation import Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """Reference Values of one program (COMPAT section 8, `Packages`).

    Attributes:
        debug: Whether the enclave must be a debug one. A debug package needs no other value.
        unique_id: MRENCLAVE in hex, any case; empty if not given.
        signer_id: MRSIGNER in hex, any case; empty if not given.
        product_id: ISVPRODID to equal, None if not given (0 is a value).
        security_version: Lowest ISVSVN that is accepted, None if not given.
        accepted_tcb_statuses: None if not given; `UpToDate` is accepted always.
        accepted_advisories: None if not given: then advisories are not looked at.
        evidence: The accepted forms of Evidence, over all families of TEEs, of which one must be met; None:
            an SGX enclave, as the other fields have it. Then those are not given.
    """

    debug: bool = False
    unique_id: str = ""
    signer_id: str = ""
    product_id: int | None = None
    security_version: int | None = None
    accepted_tcb_statuses: tuple[str, ...] | None = None
    accepted_advisories: tuple[str, ...] | None = None
    evidence: tuple[Reference, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Infrastructure:
    """Properties that a platform must have (COMPAT section 8, `Infrastructures`).

    They are kept as written. Nothing enforces them yet, so that strict parsing refuses any of them.
    """

    cpu_svn: bytes = b""
    root_ca: bytes = b""
    qe_svn: int | None = None
    pce_svn: int | None = None
