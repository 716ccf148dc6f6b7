"""Read who has to approve what."""

from types import MappingProxyType

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from sealmesh.manifest.json_values import JsonValue
from sealmesh.manifest.limits import MAX_RSA_BITS, MIN_RSA_BITS
from sealmesh.manifest.model import ApprovalRule, Approver, Governance, GovernedAct
from sealmesh.manifest.reading.pem import PemBlock, first_block
from sealmesh.manifest.reading.view import Reading, View
from sealmesh.manifest.report import Path, listing, quoted, suggest
from sealmesh.manifest.shapes import APPROVAL_RULE, APPROVER, GOVERNANCE
from sealmesh.pki.reading import UNREADABLE

_ACTS = {str(act): act for act in GovernedAct}
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)


def read_governance(reading: Reading, view: View) -> Governance | None:
    """Read the section; None where it is absent."""
    if not view.has("Governance"):
        return None
    section = view.view("Governance", GOVERNANCE)
    approvers = {
        name: Approver(keys=_keys(reading, value, path)) for name, path, value in section.named("Approvers")
    }
    rules = {}
    for name, path, value in section.named("Rules"):
        if name in _ACTS:
            rules[_ACTS[name]] = _rule(reading, value, path, tuple(approvers))
        else:
            reading.report.add(
                "governance.unknown-act",
                path,
                f"{quoted(name)} is not an act that can be reserved.",
                remedy=suggest(name, _ACTS),
            )
    return Governance(approvers=MappingProxyType(approvers), rules=MappingProxyType(rules))


def _rule(reading: Reading, value: JsonValue, path: Path, everybody: tuple[str, ...]) -> ApprovalRule:
    view = View(reading, value, path, APPROVAL_RULE)
    named = view.optional_texts("Approvers")
    return ApprovalRule(threshold=view.unsigned("Threshold"), approvers=everybody if named is None else named)


def _keys(reading: Reading, value: JsonValue, path: Path) -> tuple[bytes, ...]:
    view = View(reading, value, path, APPROVER)
    texts = view.texts("Keys")
    if not texts:
        reading.report.add("governance.no-key", path, "The approver has no key.", remedy=_REMEDY)
    found = [_key(reading, text, (*view.at("Keys"), index)) for index, text in enumerate(texts)]
    return tuple(key for key in found if key is not None)


_REMEDY = "Put in a public key or a certificate as PEM: ECDSA P-256, P-384, P-521, Ed25519, or RSA."


def _key(reading: Reading, text: str, path: Path) -> bytes | None:
    block = first_block(text)
    try:
        key = None if block is None else _public_key(block)
    except (*UNREADABLE, Warning):
        key = None
    fault = _fault(key)
    if key is None or fault:
        reading.report.add("governance.bad-key", path, fault, remedy=_REMEDY)
        return None
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined, no-any-return]


def _public_key(block: PemBlock) -> object | None:
    if block.label == "CERTIFICATE":
        return x509.load_der_x509_certificate(block.data).public_key()
    return load_der_public_key(block.data) if block.label == "PUBLIC KEY" else None


def _fault(key: object | None) -> str:
    match key:
        case None:
            return "There is no public key that can be read."
        case ed25519.Ed25519PublicKey():
            return ""
        case ec.EllipticCurvePublicKey() if isinstance(key.curve, _CURVES):
            return ""
        case ec.EllipticCurvePublicKey():
            return f"Signatures on the curve {key.curve.name} are not taken."
        case rsa.RSAPublicKey() if MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
            return ""
        case rsa.RSAPublicKey():
            return f"An RSA key has {MIN_RSA_BITS} to {MAX_RSA_BITS} bits; this has {key.key_size}."
    return f"Keys of this kind cannot approve; known are {listing(('ECDSA', 'Ed25519', 'RSA'))}."
