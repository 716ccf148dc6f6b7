"""Verifying a statement: the relying party's whole judgement, without I/O.

The plan; each step is one function below.

1. Read the document strictly.
2. Verify its Evidence under the policy's trust roots at the given time (signatures, chains, revocation,
   freshness of the collateral).
3. Appraise: the Coordinator is the software the policy names, and its report data is the hash of this
   document. From here on the document is the Coordinator's own word.
4. Compare the nonce, where the verifier sent one.
5. Compare the manifest with its fingerprint and with the policy's, and parse it.
6. Draw "who may do what" again from the manifest; it must be what the document says.
7. Check the certificate chain and that it is of the ledger's mesh.
8. Verify the ledger checkpoint.
9. Compare relaxations and simulation with what the policy accepts.

What it does not show: that the Coordinator's software is free of faults, what a Marble does with its
secrets, that the state was not put back to an older one (compare checkpoints for that), or anything
about the time after the statement was made.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from sealmesh.attestation import CompositeClaims, SingleClaims, TrustRoot, VerifiedEvidence
from sealmesh.errors.ledger import StatementError
from sealmesh.ledger.authority import summarize_authority
from sealmesh.ledger.canonical import Json
from sealmesh.ledger.checkpoint import Checkpoint, ledger_origin, verify_checkpoint
from sealmesh.ledger.judgement import judge_coordinator
from sealmesh.ledger.note import parse_note_key
from sealmesh.ledger.relying_policy import RelyingPolicy
from sealmesh.ledger.statement import canonical_manifest_sha256, statement_report_data
from sealmesh.ledger.unverified import UnverifiedStatement, parse_statement
from sealmesh.manifest import Manifest, parse_manifest
from sealmesh.pki import trust_domain
from sealmesh.pki.reading import UNREADABLE

#: How far two honest clocks may be apart.
CLOCK_SKEW = timedelta(minutes=5)
LENIENT_MANIFEST = "lenient-manifest"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedApplication:
    """An application that was verified as a whole.

    Attributes:
        document: The statement's bytes, to be kept.
        time: When the Coordinator made it, by its own clock.
        nonce: The verifier's, empty if it sent none.
        version: The Coordinator's version.
        trust_domain: The mesh, `mesh-...`.
        root: Certificate that the client API shows and that every Marble's chain ends in.
        intermediate: The CA below it that issued the present certificates.
        manifest: What the application must be.
        manifest_raw: The bytes of it that were set.
        manifest_sha256: Their SHA-256 in hex, the fingerprint.
        security_versions: Where updates raised the manifest's lowest versions.
        authority: Who may do what, for people to read.
        checkpoint: The ledger's state when the statement was made.
        relaxations: What the operator relaxed.
        simulation: Whether the hardware is simulated, or simulated hardware is let in. Then nothing
            here protects against whoever runs the machine.
        evidence: The verified Evidence, with claims, TCB status and trust root.
    """

    document: bytes
    time: datetime
    nonce: bytes
    version: str
    trust_domain: str
    root: x509.Certificate
    intermediate: x509.Certificate
    manifest: Manifest
    manifest_raw: bytes
    manifest_sha256: str
    security_versions: Mapping[str, int]
    authority: Mapping[str, Json]
    checkpoint: Checkpoint
    relaxations: tuple[str, ...]
    simulation: bool
    evidence: VerifiedEvidence

    @property
    def claims(self) -> SingleClaims:
        """What the Coordinator's TEE says of it."""
        claims = self.evidence.claims
        if isinstance(claims, CompositeClaims):
            raise TypeError("a Coordinator's Evidence is judged as that of one TEE")
        return claims


def verify_statement(
    document: bytes,
    policy: RelyingPolicy,
    *,
    now: datetime,
    nonce: bytes | None,
    roots: Sequence[TrustRoot] | None = None,
) -> VerifiedApplication:
    """Return the application that `document` states, after verifying all of it against `policy`.

    Args:
        document: The statement.
        policy: What the Coordinator must be and whose hardware is believed.
        now: The time to verify at, aware; an earlier one for an archived statement.
        nonce: What this verifier sent; None for a statement that somebody else asked for, whose
            freshness is then only as good as its time.
        roots: Trust roots instead of the policy's.

    Raises:
        StatementError: The document is malformed or contradicts itself, the policy or the nonce.
        AttestationError: The Evidence does not hold, or is not of the wanted software or document.
        ManifestError: The manifest inside is not one.
        NoteError: The checkpoint does not hold.
    """
    statement = parse_statement(document)
    evidence = judge_coordinator(
        statement.evidence,
        statement.endorsements,
        policy,
        report_data=statement_report_data(statement.body),
        now=now,
        roots=roots,
    )
    _check_freshness(statement, now, nonce)
    manifest = _check_manifest(statement, policy)
    domain = _check_chain(statement, now)
    checkpoint = _verify_ledger(statement, domain)
    _check_acceptance(statement, policy, evidence, manifest)
    return VerifiedApplication(
        document=document,
        time=statement.time,
        nonce=statement.nonce,
        version=statement.version,
        trust_domain=domain,
        root=statement.root,
        intermediate=statement.intermediate,
        manifest=manifest,
        manifest_raw=statement.manifest_raw,
        manifest_sha256=statement.manifest_sha256,
        security_versions=statement.security_versions,
        authority=statement.authority,
        checkpoint=checkpoint,
        relaxations=statement.relaxations,
        simulation=statement.simulation,
        evidence=evidence,
    )


def _check_freshness(statement: UnverifiedStatement, now: datetime, nonce: bytes | None) -> None:
    if nonce is not None and statement.nonce != nonce:
        raise StatementError(
            "the statement was made for another nonce, so it may be old",
            code="statement-replayed",
            found=statement.nonce.hex() or "none",
            wanted=nonce.hex(),
        )
    if statement.time > now + CLOCK_SKEW:
        raise StatementError(
            "the statement is from the future",
            code="statement-future",
            found=statement.time.isoformat(),
            wanted=f"not after {now.isoformat()}",
            remedy="Compare your clock with the Coordinator's.",
        )


def _check_manifest(statement: UnverifiedStatement, policy: RelyingPolicy) -> Manifest:
    digest = hashlib.sha256(statement.manifest_raw)
    _same("manifest fingerprint", statement.manifest_sha256, digest.hexdigest())
    _same(
        "canonical manifest hash",
        statement.manifest_canonical_sha256,
        canonical_manifest_sha256(statement.manifest_raw),
    )
    if policy.manifest_sha256 is not None and digest.digest() != policy.manifest_sha256:
        raise StatementError(
            "the Coordinator enforces another manifest than the policy wants",
            code="statement-manifest",
            found=digest.hexdigest(),
            wanted=policy.manifest_sha256.hex(),
            remedy="Read the manifest; if it is what you expect, put its hash into the policy.",
        )
    manifest = parse_manifest(statement.manifest_raw, lenient=LENIENT_MANIFEST in statement.relaxations)
    if statement.authority != summarize_authority(manifest):
        raise StatementError("the summary of who may do what is not the manifest's", code="statement-summary")
    for name, version in statement.security_versions.items():
        package = manifest.packages.get(name)
        if package is None or version < (package.security_version or 0):
            raise StatementError("an update lowered a security version", found=f"{name} at {version}")
    return manifest


def _check_chain(statement: UnverifiedStatement, now: datetime) -> str:
    root, intermediate = statement.root, statement.intermediate
    try:
        root.verify_directly_issued_by(root)
        intermediate.verify_directly_issued_by(root)
        authorities = [
            certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
            for certificate in (root, intermediate)
        ]
    except (InvalidSignature, *UNREADABLE) as error:
        raise StatementError("the certificate chain does not hold", code="statement-chain") from error
    if not all(authorities):
        raise StatementError("a certificate of the chain is not a CA's", code="statement-chain")
    for certificate in (root, intermediate):
        if not certificate.not_valid_before_utc - CLOCK_SKEW <= now <= certificate.not_valid_after_utc:
            raise StatementError(
                "a certificate of the chain is not valid at the given time",
                code="statement-chain",
                found=f"{certificate.not_valid_before_utc} to {certificate.not_valid_after_utc}",
                wanted=now.isoformat(),
            )
    return trust_domain(root.public_key())


def _verify_ledger(statement: UnverifiedStatement, domain: str) -> Checkpoint:
    key = parse_note_key(statement.ledger_key)
    _same("ledger", key.name, ledger_origin(domain))
    checkpoint = verify_checkpoint(statement.checkpoint, key)
    if checkpoint.size < 1:
        raise StatementError("the ledger is empty although a manifest was set", code="statement-ledger")
    return checkpoint


def _check_acceptance(
    statement: UnverifiedStatement, policy: RelyingPolicy, evidence: VerifiedEvidence, manifest: Manifest
) -> None:
    if (evidence.root.simulated or manifest.simulation) and not statement.simulation:
        raise StatementError("the statement hides that hardware is simulated", code="statement-simulation")
    unwanted = sorted(set(statement.relaxations) - (policy.relaxations or frozenset()))
    if policy.relaxations is not None and unwanted:
        raise StatementError(
            "relaxations are in force that the policy does not accept",
            code="statement-relaxations",
            found=", ".join(unwanted),
            wanted=", ".join(sorted(policy.relaxations)) or "none",
            remedy="Ask the operator to start the Coordinator without them, or name them in the policy.",
        )


def _same(what: str, found: str | None, wanted: str | None) -> None:
    if found != wanted:
        raise StatementError(f"the {what} in the statement is wrong", found=found, wanted=wanted)
