"""An EAT Attestation Result (EAR): a verifier's signed word about one or several Attesters.

Source: draft-ietf-rats-ear-04 (26 May 2026), sections 3 and 3.1. The profile names the draft's version:
claims were renamed before (`ear.status`), so that a token of another profile is refused, not guessed at.

Left out on purpose: `ear_raw_evidence`. Evidence can name the machine for ever (privacy considerations of the
draft), and whoever should have it has it; the result carries its SHA-256.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sealmesh.attestation.results.trust import Tier, TrustVector, worst

PROFILE = "tag:ietf.org,2026:rats/ear#04"
MIN_NONCE, MAX_NONCE = 8, 64
"""Bytes of a nonce (RFC 9711 section 4.1)."""
MAX_SUBMODULES = 16

Fact = str | int | bool | tuple[str, ...]
Facts = Mapping[str, Fact]
"""Claims beside the vector, by name: flat and printable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierId:
    """Who judged: the software and who makes it (draft-ietf-rats-ar4si-10, "Verifier ID")."""

    developer: str
    build: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submodule:
    """What is said about one Attester (`EAR-appraisal`).

    Attributes:
        status: Never of higher trust than the worst value of the vector.
        vector: May be empty only in a token of somebody else.
        policies: Which policies it was appraised by, in order; empty where none was.
        attester_claims: What its Evidence says (`ear_attester_claims`).
        verifier_claims: What the verifier found out about it (`ear_verifier_claims`).
    """

    status: Tier
    vector: TrustVector
    policies: tuple[str, ...] = ()
    attester_claims: Facts = field(default_factory=dict)
    verifier_claims: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ear:
    """The claims set. Nothing here is signed.

    Attributes:
        issued: Aware UTC, whole seconds; so `expires`.
        expires: It must not be accepted from then on.
        submodules: At least one, by the label of its Attester.
        nonce: What was sent by whoever asked, 8 to 64 bytes, or None.
    """

    issued: datetime
    expires: datetime
    verifier: VerifierId
    submodules: Mapping[str, Submodule] = field(default_factory=dict)
    nonce: bytes | None = None

    @property
    def status(self) -> Tier:
        """The overall status: the worst of all Attesters."""
        return worst(submodule.status for submodule in self.submodules.values())
