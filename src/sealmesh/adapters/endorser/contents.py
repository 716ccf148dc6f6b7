"""What a collateral document holds and until when, read without verifying it."""

import re
from dataclasses import dataclass

from sealmesh.adapters.endorser.fetching import Reply
from sealmesh.adapters.endorser.item import read_certificates, read_crl, read_ocsp, validity_of_chain
from sealmesh.attestation import Validity, parse_collateral
from sealmesh.attestation.dcap.pck import unverified_platform
from sealmesh.attestation.dcap.qe_identity import parse_qe_identity
from sealmesh.attestation.dcap.tcb_info import parse_tcb_info
from sealmesh.errors.attestation import EndorsementFormatError

_DER_SEQUENCE = b"\x30\x82"
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\r?\n[A-Za-z0-9+/=\r\n]+-----END \1-----\r?\n?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a document.

    Attributes:
        name: What it is.
        about: What it says of itself; may be empty.
        validity: By its own dates.
    """

    name: str
    about: str
    validity: Validity


def contents_of(raw: bytes) -> tuple[Part, ...]:
    """Return the parts of a collateral document: JSON (SGX, TDX), PEM, or an OCSP response in DER.

    Raises:
        AttestationError: It is neither, or a part cannot be read.
    """
    blocks = pem_blocks(raw)
    if raw.lstrip().startswith(b"{"):
        return _dcap(raw)
    if raw.startswith(_DER_SEQUENCE):
        validity = read_ocsp(Reply(body=raw, headers={})).validity
        return (Part(name="OCSP response", about="", validity=validity),)
    if not blocks or not raw.isascii():
        raise EndorsementFormatError("this is no collateral", wanted="JSON of SGX or TDX, or PEM")
    return tuple(_pem_part(label, pem) for label, pem in blocks if label in _READERS)


def pem_blocks(raw: bytes) -> list[tuple[bytes, bytes]]:
    """Return label and text of each PEM block."""
    return [(match[1], match[0].rstrip() + b"\n") for match in _BLOCK.finditer(raw)]


def dcap_platform(raw: bytes) -> tuple[str, ...]:
    """Return family and FMSPC (hex) of a document for SGX or TDX; its PPID too, if it is for one platform."""
    collateral = parse_collateral(raw)
    found, chain = parse_tcb_info(collateral.tcb_info), collateral.pck_certificate_chain
    kind = (found.family.value, found.fmspc.hex())
    return kind if chain is None else (*kind, unverified_platform(chain).ppid.hex())


def _dcap(raw: bytes) -> tuple[Part, ...]:
    found = parse_collateral(raw)
    own = found.pck_certificate_chain
    tcb_info, identity = parse_tcb_info(found.tcb_info), parse_qe_identity(found.qe_identity)
    crls = {
        "root CA revocation list": found.root_ca_crl,
        "PCK CA revocation list": found.pck_crl,
    }
    chains = {
        "PCK CA chain": found.pck_crl_issuer_chain,
        "TCB signing chain": found.tcb_info_issuer_chain,
        "QE identity chain": found.qe_identity_issuer_chain,
        **({} if own is None else {"PCK certificate chain": own}),
    }
    return (
        Part(
            name="TCB info",
            about=f"{tcb_info.family} {tcb_info.fmspc.hex()}, evaluation {tcb_info.evaluation_number}",
            validity=tcb_info.validity,
        ),
        Part(
            name="QE identity",
            about=f"{identity.family}, evaluation {identity.evaluation_number}",
            validity=identity.validity,
        ),
        *(
            Part(name=name, about="", validity=read_crl(Reply(body=der, headers={})).validity)
            for name, der in crls.items()
        ),
        *(Part(name=name, about="", validity=validity_of_chain(pem)) for name, pem in chains.items()),
    )


_READERS = {
    b"CERTIFICATE": ("certificate", read_certificates),
    b"X509 CRL": ("revocation list", read_crl),
    b"OCSP RESPONSE": ("OCSP response", read_ocsp),
}


def _pem_part(label: bytes, pem: bytes) -> Part:
    name, read = _READERS[label]
    return Part(name=name, about="", validity=read(Reply(body=pem, headers={})).validity)
