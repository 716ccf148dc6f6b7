"""The signature over a RIM: enveloped, over the whole document, in the one form that NVIDIA uses.

Plan (W3C, XML Signature Syntax and Processing 1.1, sections 3.2, 4 and 6.6.4):

 1. One `Signature`, the root's own child; none anywhere else.
 2. `SignedInfo` is Canonical XML 1.1, ECDSA with SHA-384, and one reference to the whole document, through
    the enveloped transform and Canonical XML 1.1, with SHA-384. Nothing else is accepted.
 3. The digest is that of the canonical document without the signature.
 4. The first certificate's key signed the canonical `SignedInfo`.

The certificates are verified by the caller.
"""

from base64 import b64decode
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.constant_time import bytes_eq
from cryptography.hazmat.primitives.hashes import SHA384, Hash

from sealmesh.attestation.certification import Certificate, parse_certificate
from sealmesh.attestation.gpu.rim.canonical import canonical
from sealmesh.attestation.gpu.rim.tree import Element
from sealmesh.errors.attestation import EndorsementFormatError, VerificationError

MAX_CERTIFICATES: Final = 6
_DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
_C14N: Final = "http://www.w3.org/2006/12/xml-c14n11"
_ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_ECDSA: Final = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
_SHA384: Final = "http://www.w3.org/2001/04/xmldsig-more#sha384"
_SCALAR: Final = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    element: Element
    signed_info: Element
    digest: bytes
    value: bytes
    certificates: tuple[Certificate, ...]


def verify_enveloped(root: Element) -> tuple[Certificate, ...]:
    """Accept a document only as its first certificate's key signed it; return the certificates, leaf first.

    Raises:
        EndorsementFormatError: `format:rim`, a signature of another form, `format:rim certificate`.
        VerificationError: `signature:rim`.
    """
    # 1. and 2. Form.
    parts = _parts(root)
    # 3. Digest.
    digest = Hash(SHA384())
    digest.update(canonical(root, without=parts.element))
    if not bytes_eq(digest.finalize(), parts.digest):
        raise _changed("the document was changed after it was signed")
    # 4. Signature.
    key = parts.certificates[0].key
    try:
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
            raise InvalidSignature
        key.verify(_der(parts.value), canonical(parts.signed_info), ec.ECDSA(SHA384()))
    except (InvalidSignature, ValueError) as error:
        raise _changed("the signature is not of the key that it names") from error
    return parts.certificates


def _parts(root: Element) -> _Parts:
    found = [element for element in root.walk() if element.is_named(_DSIG, "Signature")]
    if len(found) != 1 or not any(child is found[0] for child in root.elements):
        raise _other_form("one signature, directly below the root")
    signed_info, value, key_info = _children(found[0], "SignedInfo", "SignatureValue", "KeyInfo")
    (data,) = _children(key_info, "X509Data")
    if not 1 <= len(data.elements) <= MAX_CERTIFICATES:
        raise _other_form(f"1 to {MAX_CERTIFICATES} certificates")
    return _Parts(
        element=found[0],
        signed_info=signed_info,
        digest=_reference_digest(signed_info),
        value=_octets(value),
        certificates=tuple(
            parse_certificate(_octets(one), subject="rim")
            for one in _children(data, *["X509Certificate"] * len(data.elements))
        ),
    )


def _reference_digest(signed_info: Element) -> bytes:
    """Return the digest of the one reference, whose algorithms are the ones that are known."""
    canonicalization, method, reference = _children(
        signed_info, "CanonicalizationMethod", "SignatureMethod", "Reference"
    )
    transforms, digest_method, digest = _children(reference, "Transforms", "DigestMethod", "DigestValue")
    enveloped, canonicalized = _children(transforms, "Transform", "Transform")
    wanted = (
        (canonicalization, _C14N),
        (method, _ECDSA),
        (enveloped, _ENVELOPED),
        (canonicalized, _C14N),
        (digest_method, _SHA384),
    )
    for element, algorithm in wanted:
        if element.attribute("Algorithm") != algorithm or element.children:
            raise _other_form(f"{element.name.local} {algorithm}")
    if reference.attribute("URI") != "":
        raise _other_form("a reference to the whole document")
    return _octets(digest)


def _children(element: Element, *names: str) -> list[Element]:
    """Return the children, which must be exactly these."""
    found = element.elements
    if len(found) != len(names) or not all(
        child.is_named(_DSIG, name) for child, name in zip(found, names, strict=True)
    ):
        raise _other_form(f"{element.name.local} with {', '.join(names)}")
    return found


def _octets(element: Element) -> bytes:
    try:
        if element.elements:
            raise ValueError("it has elements")
        return b64decode("".join(element.text.split()), validate=True)
    except ValueError as error:
        raise _other_form(f"base64 in {element.name.local}") from error


def _der(value: bytes) -> bytes:
    if len(value) != 2 * _SCALAR:
        raise ValueError("a signature of another length")
    return encode_dss_signature(
        int.from_bytes(value[:_SCALAR], "big"), int.from_bytes(value[_SCALAR:], "big")
    )


def _other_form(wanted: str) -> EndorsementFormatError:
    return EndorsementFormatError("the RIM's signature is of another form", code="format:rim", wanted=wanted)


def _changed(problem: str) -> VerificationError:
    return VerificationError(f"the RIM does not verify: {problem}", code="signature:rim")
