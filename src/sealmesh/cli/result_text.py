"""An Attestation Result in words, and as a document for --json."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealmesh.attestation.results import Fact, Submodule
    from sealmesh.client import VerifiedResult

_FORM = "%Y-%m-%dT%H:%M:%SZ"


def result_text(found: "VerifiedResult") -> str:
    """Return what a verified result says."""
    ear = found.ear
    signer = f"the Coordinator of {found.signer}" if found.signer else "the given key"
    lines = [
        f"Attestation Result ({found.form.value.upper()}), signed by {signer}",
        _row("status", ear.status.word),
        _row("issued", f"{ear.issued:{_FORM}} by {ear.verifier.build} ({ear.verifier.developer})"),
        _row("valid until", f"{ear.expires:{_FORM}}"),
        *([_row("nonce", ear.nonce.hex())] if ear.nonce is not None else []),
    ]
    for label, submodule in ear.submodules.items():
        lines += [f"{label}: {submodule.status.word}", *_submodule(submodule)]
    return "\n".join(lines)


def result_document(found: "VerifiedResult") -> dict[str, Any]:
    """Return the same for programs."""
    ear = found.ear
    return {
        "form": found.form.value,
        "signer": found.signer or None,
        "status": ear.status.word,
        "issued": f"{ear.issued:{_FORM}}",
        "expires": f"{ear.expires:{_FORM}}",
        "verifier": {"developer": ear.verifier.developer, "build": ear.verifier.build},
        "nonce": None if ear.nonce is None else ear.nonce.hex(),
        "submodules": {
            label: {
                "status": submodule.status.word,
                "vector": {aspect.word: value for aspect, value in submodule.vector.items()},
                "policies": list(submodule.policies),
                "attesterClaims": dict(submodule.attester_claims),
                "verifierClaims": dict(submodule.verifier_claims),
            }
            for label, submodule in ear.submodules.items()
        },
    }


def _submodule(submodule: "Submodule") -> Iterator[str]:
    from sealmesh.attestation.results import about, words_for

    if submodule.verifier_claims.get("simulated") is True:
        yield "  SIMULATED: no hardware protects this"
    for aspect, value in submodule.vector.items():
        yield _row(about(aspect), f"{words_for(aspect, value)} ({value})")
    for policy in submodule.policies:
        yield _row("by the policy", policy)
    for title, facts in (("found", submodule.verifier_claims), ("Evidence", submodule.attester_claims)):
        for name, fact in facts.items():
            yield _row(f"{title}: {name}", _spelled(fact))


def _spelled(fact: "Fact") -> str:
    if isinstance(fact, tuple):
        return "; ".join(fact)
    return str(fact).lower() if isinstance(fact, bool) else str(fact)


def _row(name: str, value: str) -> str:
    return f"  {name:<26}  {value}"
