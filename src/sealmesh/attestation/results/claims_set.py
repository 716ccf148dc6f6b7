"""An EAR as the claims set of a token, and back.

Reading is strict about every claim that is known (draft-ietf-rats-ear-04, sections 3 and 3.1) and passes
over the others, as section 4 demands. Whatever is unclear refuses the whole token: an unknown status, a
status that trusts more than its vector, another profile, no expiry.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NoReturn

from sealmesh.attestation.cbor import Value
from sealmesh.attestation.results.ear import (
    MAX_NONCE,
    MAX_SUBMODULES,
    MIN_NONCE,
    PROFILE,
    Ear,
    Fact,
    Facts,
    Submodule,
    VerifierId,
)
from sealmesh.attestation.results.spelling import Claim, Spelling
from sealmesh.attestation.results.trust import Aspect, Tier, TrustVector, status_of, trusts_more
from sealmesh.errors.results import ResultFormatError

#: The end of the year 9999; datetime has no later one.
_LAST_SECOND = 253_402_300_799
_LONGEST_TEXT = 512
_MOST_POLICIES = 16
_MOST_FACTS = 128


def claims_set(ear: Ear, spelling: Spelling) -> Value:
    """Return the claims set in this spelling."""
    key = spelling.key
    claims: dict[int | str, Value] = {
        key(Claim.PROFILE): PROFILE,
        key(Claim.ISSUED): int(ear.issued.timestamp()),
        key(Claim.EXPIRES): int(ear.expires.timestamp()),
        key(Claim.STATUS): spelling.tier(ear.status),
        key(Claim.VERIFIER): {
            key(Claim.DEVELOPER): ear.verifier.developer,
            key(Claim.BUILD): ear.verifier.build,
        },
        key(Claim.SUBMODULES): {label: _submodule(item, spelling) for label, item in ear.submodules.items()},
    }
    if ear.nonce is not None:
        claims[key(Claim.NONCE)] = spelling.octets(ear.nonce)
    return claims


def _submodule(submodule: Submodule, spelling: Spelling) -> Value:
    key = spelling.key
    claims: dict[int | str, Value] = {key(Claim.STATUS): spelling.tier(submodule.status)}
    if submodule.vector:
        claims[key(Claim.VECTOR)] = {spelling.aspect(name): value for name, value in submodule.vector.items()}
    if submodule.policies:
        claims[key(Claim.POLICIES)] = submodule.policies
    if submodule.attester_claims:
        claims[key(Claim.ATTESTER_CLAIMS)] = _map(submodule.attester_claims)
    if submodule.verifier_claims:
        claims[key(Claim.VERIFIER_CLAIMS)] = _map(submodule.verifier_claims)
    return claims


def _map(facts: Facts) -> Value:
    entries: dict[int | str, Value] = {}
    entries.update(facts)
    return entries


def read_claims_set(value: object, spelling: Spelling) -> Ear:
    """Return the EAR that a claims set states.

    Args:
        value: A decoded JSON or CBOR document without duplicate keys.
        spelling: Of which of the two.

    Raises:
        ResultFormatError: `result-profile`, `result-status-unknown`, `result-status-contradicts`, or
            `result-format`.
    """
    claims = _Claims(value, spelling, "the claims set")
    if claims.get(Claim.PROFILE) != PROFILE:
        found = str(claims.get(Claim.PROFILE))[:128]
        claims.refuse(Claim.PROFILE, PROFILE, code="result-profile", found=found)
    verifier = claims.inner(Claim.VERIFIER)
    submodules = claims.mapping(Claim.SUBMODULES)
    if not 0 < len(submodules) <= MAX_SUBMODULES:
        claims.refuse(Claim.SUBMODULES, f"1 to {MAX_SUBMODULES} Attesters")
    ear = Ear(
        issued=claims.moment(Claim.ISSUED),
        expires=claims.moment(Claim.EXPIRES),
        verifier=VerifierId(developer=verifier.text(Claim.DEVELOPER), build=verifier.text(Claim.BUILD)),
        submodules={
            _label(label, claims): _read_submodule(_Claims(item, spelling, f"submodule {label!r:.80}"))
            for label, item in submodules.items()
        },
        nonce=claims.nonce(),
    )
    if ear.expires <= ear.issued:
        claims.refuse(Claim.EXPIRES, "a time after `iat`")
    stated = claims.optional_tier()
    if stated is not None and trusts_more(stated, ear.status):
        _contradiction(claims, stated, ear.status)
    return ear


def _label(label: object, claims: "_Claims") -> str:
    if not isinstance(label, str) or not 0 < len(label) <= 64 or not label.isprintable():
        claims.refuse(Claim.SUBMODULES, "labels of 1 to 64 printable characters")
    return label


def _read_submodule(claims: "_Claims") -> Submodule:
    status = claims.optional_tier()
    if status is None:
        claims.refuse(Claim.STATUS, "a tier", code="result-status-unknown", found="none")
    vector = claims.vector()
    if trusts_more(status, status_of(vector)) and vector:
        _contradiction(claims, status, status_of(vector))
    return Submodule(
        status=status,
        vector=vector,
        policies=claims.policies(),
        attester_claims=claims.facts(Claim.ATTESTER_CLAIMS),
        verifier_claims=claims.facts(Claim.VERIFIER_CLAIMS),
    )


def _contradiction(claims: "_Claims", status: Tier, allowed: Tier) -> NoReturn:
    claims.refuse(
        Claim.STATUS,
        f"{allowed.word} or worse, for the values below it",
        code="result-status-contradicts",
        found=status.word,
    )


class _Claims:
    """One map of the claims set, read claim by claim."""

    __slots__ = ("_claims", "_name", "_spelling")

    def __init__(self, value: object, spelling: Spelling, name: str) -> None:
        self._spelling = spelling
        self._name = name
        if not isinstance(value, dict):
            raise ResultFormatError(f"{name} is no map")
        self._claims: Mapping[object, object] = value

    def get(self, claim: Claim) -> object:
        return self._claims.get(self._spelling.key(claim))

    def mapping(self, claim: Claim) -> Mapping[object, object]:
        value = self.get(claim)
        if not isinstance(value, dict):
            self.refuse(claim, "a map")
        return value

    def inner(self, claim: Claim) -> "_Claims":
        return _Claims(self.mapping(claim), self._spelling, claim.value[0])

    def text(self, claim: Claim) -> str:
        return self._text(claim, self.get(claim))

    def moment(self, claim: Claim) -> datetime:
        """Return a NumericDate; floating-point ones are an error (section 3)."""
        value = self.get(claim)
        if type(value) is not int or not 0 <= value <= _LAST_SECOND:
            self.refuse(claim, "whole seconds since 1970")
        return datetime.fromtimestamp(value, UTC)

    def nonce(self) -> bytes | None:
        value = self.get(Claim.NONCE)
        if value is None:
            return None
        nonce = self._spelling.read_octets(value)
        if nonce is None or not MIN_NONCE <= len(nonce) <= MAX_NONCE:
            self.refuse(Claim.NONCE, f"{MIN_NONCE} to {MAX_NONCE} bytes")
        return nonce

    def optional_tier(self) -> Tier | None:
        value = self.get(Claim.STATUS)
        if value is None:
            return None
        known = {self._spelling.tier(tier): tier for tier in Tier}
        if type(value) not in (str, int) or value not in known:
            wanted = " or ".join(map(str, known))
            self.refuse(Claim.STATUS, wanted, code="result-status-unknown", found=repr(value)[:64])
        return known[value]

    def vector(self) -> TrustVector:
        """Return the values; an aspect that is not known is passed over, as any claim."""
        if self.get(Claim.VECTOR) is None:
            return {}
        found = self.mapping(Claim.VECTOR)
        vector: dict[Aspect, int] = {}
        for aspect in Aspect:
            value = found.get(self._spelling.aspect(aspect), 0)
            if type(value) is not int or not -128 <= value <= 127:
                self.refuse(Claim.VECTOR, "whole numbers from -128 to 127")
            if value:
                vector[aspect] = value
        return vector

    def policies(self) -> tuple[str, ...]:
        value = self.get(Claim.POLICIES)
        if value is None:
            return ()
        if not isinstance(value, list | tuple) or not 0 < len(value) <= _MOST_POLICIES:
            self.refuse(Claim.POLICIES, f"1 to {_MOST_POLICIES} texts")
        return tuple(self._text(Claim.POLICIES, item) for item in value)

    def facts(self, claim: Claim) -> Facts:
        """Return the claims that are flat and printable; others are for other readers."""
        if self.get(claim) is None:
            return {}
        found = self.mapping(claim)
        if len(found) > _MOST_FACTS:
            self.refuse(claim, f"at most {_MOST_FACTS} claims")
        read = {name: _fact(value) for name, value in found.items() if isinstance(name, str)}
        return {name: value for name, value in read.items() if value is not None and name.isprintable()}

    def refuse(
        self, claim: Claim, wanted: str, *, code: str | None = None, found: str | None = None
    ) -> NoReturn:
        raise ResultFormatError(
            f"{self._name}: `{claim.value[0]}` is not as it must be", code=code, found=found, wanted=wanted
        )

    def _text(self, claim: Claim, value: object) -> str:
        if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TEXT or not value.isprintable():
            self.refuse(claim, f"1 to {_LONGEST_TEXT} printable characters")
        return value


def _fact(value: object) -> Fact | None:
    if isinstance(value, list | tuple):
        return tuple(value) if all(isinstance(item, str) for item in value) else None
    return value if isinstance(value, str | int) else None
