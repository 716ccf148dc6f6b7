"""Certificate paths, verified from the root down, so that no key is used before it is vouched for.

Plan (RFC 5280 section 6.1, without policies and name constraints, which these vendors do not use):

 1. The root's certificate is an accepted trust root, by fingerprint; it signed itself.
 2. Each certificate below: issued by the name above, signed by the key above.
 3. Each that issues others is a CA, may sign certificates, and allows as many CAs below it.
 4. Every critical extension is known. Each certificate is valid at the given time.

Not looked at: revocation, and what the vendor says in its own extensions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from cryptography.exceptions import InvalidSignature

from sealmesh.attestation.certification.algorithms import verify_signature
from sealmesh.attestation.certification.certificate import Certificate
from sealmesh.attestation.roots import TrustRoot
from sealmesh.attestation.validity import Validity
from sealmesh.errors.attestation import EndorsementFormatError, VerificationError

MAX_PATH = 8
KEY_CERT_SIGN = 5
DIGITAL_SIGNATURE = 0
_KNOWN_CRITICAL = frozenset({"2.5.29.15", "2.5.29.19"})


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedPath:
    """A path that leads to an accepted root.

    Attributes:
        root: The trust root.
        certificates: Leaf first, root last.
        validity: When all of them are valid.
    """

    root: TrustRoot
    certificates: tuple[Certificate, ...]
    validity: Validity

    @property
    def leaf(self) -> Certificate:
        """The certificate that the path is for."""
        return self.certificates[0]


def verify_path(
    certificates: Sequence[Certificate],
    *,
    subjects: Sequence[str],
    roots: Sequence[TrustRoot],
    now: datetime,
    known_critical: frozenset[str] = frozenset(),
    leaf_usages: Sequence[int] = (DIGITAL_SIGNATURE,),
) -> VerifiedPath:
    """Verify a path, leaf first and root last; the plan is the module's.

    Args:
        certificates: At most `MAX_PATH`; the first is not a CA.
        subjects: What each is called in errors.
        roots: The trust roots accepted for this family.
        now: Aware UTC.
        known_critical: Critical extensions that the caller evaluates itself.
        leaf_usages: The key usages of which the leaf must allow one.

    Raises:
        EndorsementFormatError: `limit:chain`.
        VerificationError: `root:<subject>`, `chain:`, `signature:`, `profile:` or `expired:<subject>`.
    """
    if not 2 <= len(certificates) <= MAX_PATH:
        raise EndorsementFormatError(
            "a certificate chain of that length",
            code="limit:chain",
            found=len(certificates),
            wanted=f"2 to {MAX_PATH}",
        )
    named = list(zip(certificates, subjects, strict=True))
    root, root_name = named[-1]
    trust_root = _verify_root(root, root_name, roots)
    above = root
    for depth in range(len(named) - 1, -1, -1):
        certificate, name = named[depth]
        _verify_issued(certificate, above, name)
        known = _KNOWN_CRITICAL | known_critical
        _verify_profile(certificate, name, below=depth - 1, known=known, leaf_usages=leaf_usages)
        certificate.validity.verify_contains(now, subject=name, name=f"{name} certificate")
        above = certificate
    validity = reduce(Validity.intersect, (certificate.validity for certificate in certificates))
    return VerifiedPath(root=trust_root, certificates=tuple(certificates), validity=validity)


def order_path(leaf: Certificate, candidates: Sequence[Certificate]) -> tuple[Certificate, ...]:
    """Return the path from `leaf` up to a self-issued certificate, as the names lead. Nothing is verified.

    Raises:
        VerificationError: `chain:issuer`, the certificate of an issuer is not among the candidates.
    """
    path = [leaf]
    while path[-1].issuer != path[-1].subject:
        above = next((found for found in candidates if found.subject == path[-1].issuer), None)
        if above is None or len(path) == MAX_PATH:
            raise VerificationError(
                "the certificate of an issuer is missing",
                code="chain:issuer",
                found=f"{path[-1].subject_name}, without its issuer",
            )
        path.append(above)
    return tuple(path)


def _verify_root(root: Certificate, name: str, roots: Sequence[TrustRoot]) -> TrustRoot:
    found = root.sha256
    for trust_root in roots:
        if trust_root.sha256 == found:
            return trust_root
    raise VerificationError(
        "the chain does not end in an accepted trust root",
        code=f"root:{name}",
        found=f"{root.subject_name} with SHA-256 {found.hex()}",
        wanted=" or ".join(f"{known.name} {known.sha256.hex()}" for known in roots),
    )


def _verify_issued(certificate: Certificate, issuer: Certificate, name: str) -> None:
    if certificate.issuer != issuer.subject:
        raise VerificationError(
            f"the {name} certificate was issued by another",
            code=f"chain:{name}",
            found=issuer.subject_name,
            wanted="its issuer's name",
        )
    try:
        verify_signature(issuer.key, certificate.algorithm, certificate.signature, certificate.signed)
    except InvalidSignature as error:
        raise VerificationError(
            f"the signature on the {name} certificate does not verify", code=f"signature:{name}"
        ) from error


def _verify_profile(
    certificate: Certificate, name: str, *, below: int, known: frozenset[str], leaf_usages: Sequence[int]
) -> None:
    """Accept a certificate only if it may stand over `below` CAs; -1: it is the leaf."""
    problem = _profile_problem(certificate, below=below, known=known, leaf_usages=leaf_usages)
    if problem is not None:
        raise VerificationError(
            f"the {name} certificate is not as its profile has it: {problem}", code=f"profile:{name}"
        )


def _profile_problem(
    certificate: Certificate, *, below: int, known: frozenset[str], leaf_usages: Sequence[int]
) -> str | None:
    unknown = [oid for oid, found in certificate.extensions.items() if found.critical and oid not in known]
    if unknown:
        return f"unknown critical extensions {', '.join(unknown)}"
    path_length = certificate.path_length()
    if below < 0:
        if path_length is not None:
            return "it is a CA"
        return None if any(map(certificate.may, leaf_usages)) else "its key is for another use"
    if path_length is None:
        return "it is not a CA"
    if path_length < below:
        return f"it may have {path_length} CAs below it and has {below}"
    return None if certificate.may(KEY_CERT_SIGN) else "its key is not for certificates"
