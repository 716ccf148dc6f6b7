"""Reading a Nitro attestation document.

Source: AWS, aws-nitro-enclaves-nsm-api, docs/attestation_process.md, sections 2.2.2 (CDDL and limits of
the payload) and 3.1 (COSE_Sign1).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sealmesh.attestation.cbor import Value, decode
from sealmesh.attestation.claim_map import ClaimMap
from sealmesh.attestation.cose import ES384, Sign1, parse_sign1
from sealmesh.errors.attestation import EvidenceFormatError

MAX_DOCUMENT_BYTES = 32 * 1024
"""A document has about 5 kB; its longest parts are five certificates."""

_MAX_CA_BUNDLE = 7
_MAX_PCR = 31
_CERTIFICATE = range(1, 1025)
_USER_BYTES = range(1025)
_PCR = (32, 48, 64)
_CLAIMS: frozenset[int | str] = frozenset(
    {
        "module_id",
        "digest",
        "timestamp",
        "pcrs",
        "certificate",
        "cabundle",
        "public_key",
        "user_data",
        "nonce",
    }
)
_SUBJECT = "nitro document"
_UNTAGGED, _TAGGED = b"\x84", b"\xd2\x84"


@dataclass(frozen=True, slots=True, kw_only=True)
class NitroDocument:
    """A document taken apart; nothing is verified.

    Attributes:
        sign1: The signature around it.
        module_id: Instance and enclave.
        timestamp: Milliseconds since 1970, by the hypervisor's clock.
        pcrs: Registers by number; 48 bytes each with SHA384.
        certificate: DER of the certificate over the key that signed.
        ca_bundle: DER, root first.
        public_key: What the enclave put there, or None.
        user_data: What the enclave put there, or None.
        nonce: What the enclave put there, or None.
    """

    sign1: Sign1
    module_id: str
    timestamp: int
    pcrs: Mapping[int, bytes]
    certificate: bytes
    ca_bundle: tuple[bytes, ...]
    public_key: bytes | None
    user_data: bytes | None
    nonce: bytes | None


def is_nitro_document(raw: bytes) -> bool:
    """Return whether the evidence could be a document: an array of four, tagged or not."""
    return raw.startswith((_UNTAGGED, _TAGGED))


def parse_nitro_document(raw: bytes) -> NitroDocument:
    """Parse a document.

    Raises:
        EvidenceFormatError: `format:nitro document` or `limit:nitro document`.
    """
    if len(raw) > MAX_DOCUMENT_BYTES:
        raise EvidenceFormatError(
            "the Nitro document is too long",
            code=f"limit:{_SUBJECT}",
            found=f"{len(raw)} bytes",
            wanted=MAX_DOCUMENT_BYTES,
        )
    sign1 = parse_sign1(decode(raw, subject=_SUBJECT), subject=_SUBJECT, algorithms=frozenset({ES384}))
    claims = ClaimMap(decode(sign1.payload, subject=_SUBJECT), _SUBJECT)
    claims.only(_CLAIMS)
    if claims.text("digest") != "SHA384":
        claims.refuse("digest", "SHA384")
    return NitroDocument(
        sign1=sign1,
        module_id=claims.text("module_id"),
        timestamp=claims.number("timestamp", most=2**63),
        pcrs=_pcrs(claims),
        certificate=claims.octets("certificate", lengths=_CERTIFICATE),
        ca_bundle=tuple(_certificate(claims, item) for item in claims.items("cabundle", most=_MAX_CA_BUNDLE)),
        public_key=claims.optional_octets("public_key", lengths=_USER_BYTES),
        user_data=claims.optional_octets("user_data", lengths=_USER_BYTES),
        nonce=claims.optional_octets("nonce", lengths=_USER_BYTES),
    )


def _certificate(claims: ClaimMap, value: Value) -> bytes:
    if not isinstance(value, bytes) or len(value) not in _CERTIFICATE:
        claims.refuse("cabundle", "certificates of 1 to 1024 bytes")
    return value


def _pcrs(claims: ClaimMap) -> dict[int, bytes]:
    value = claims.get("pcrs")
    if not isinstance(value, dict) or not 0 < len(value) <= _MAX_PCR + 1:
        claims.refuse("pcrs", f"a map of 1 to {_MAX_PCR + 1} registers")
    pcrs: dict[int, bytes] = {}
    for index, register in value.items():
        if not isinstance(index, int) or not 0 <= index <= _MAX_PCR:
            claims.refuse("pcrs", f"numbers from 0 to {_MAX_PCR}")
        if not isinstance(register, bytes) or len(register) not in _PCR:
            claims.refuse("pcrs", "registers of 32, 48 or 64 bytes")
        pcrs[index] = register
    return pcrs
