"""Collateral: everything besides the quote that its verification needs, in one JSON document.

The shape is the `QuoteCollateralV3` of common DCAP tools: issuer chains as PEM, CRLs and signatures
in hexadecimal, TCB info and QE identity as the exact text that was signed. `pck_certificate_chain` is
there only for quotes that name their PCK certificate.
"""

import json
from collections.abc import Container
from dataclasses import dataclass, fields
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256, Hash

from sealmesh.attestation.dcap.documents import load_json
from sealmesh.errors.attestation import EndorsementFormatError

MAX_COLLATERAL_BYTES = 4 * 1024 * 1024
"""The usual is 20 kB; a long PCK CRL may add some hundreds of kB."""

_HEX = frozenset({"root_ca_crl", "pck_crl", "tcb_info_signature", "qe_identity_signature"})
_SUBJECT = "collateral"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedCollateral:
    """The parts of a collateral document; nothing is verified.

    Attributes:
        pck_crl_issuer_chain: PEM: the CA that issued the PCK certificate, the root.
        root_ca_crl: DER.
        pck_crl: DER.
        tcb_info_issuer_chain: PEM: TCB signing certificate, root.
        tcb_info: JSON, the exact text that was signed.
        tcb_info_signature: 64 bytes.
        qe_identity_issuer_chain: PEM: TCB signing certificate, root.
        qe_identity: JSON, the exact text that was signed.
        qe_identity_signature: 64 bytes.
        pck_certificate_chain: PEM: PCK certificate, CA, root; for one platform. None: the quote has it.
        digest: SHA-256 over all of these, each with its length.
    """

    pck_crl_issuer_chain: bytes
    root_ca_crl: bytes
    pck_crl: bytes
    tcb_info_issuer_chain: bytes
    tcb_info: bytes
    tcb_info_signature: bytes
    qe_identity_issuer_chain: bytes
    qe_identity: bytes
    qe_identity_signature: bytes
    pck_certificate_chain: bytes | None
    digest: bytes


_PCK_CHAIN = "pck_certificate_chain"
_NAMES = tuple(f.name for f in fields(UnverifiedCollateral) if f.name not in ("digest", _PCK_CHAIN))


def parse_collateral(data: bytes) -> UnverifiedCollateral:
    """Parse a collateral document.

    Raises:
        EndorsementFormatError: Too long, not JSON, a field that is missing, unknown, twice there or
            of another form.
    """
    if len(data) > MAX_COLLATERAL_BYTES:
        raise EndorsementFormatError(
            "the collateral is too long",
            code="limit:collateral",
            found=len(data),
            wanted=MAX_COLLATERAL_BYTES,
        )
    document = load_json(data, subject=_SUBJECT)
    if not isinstance(document, dict):
        raise EndorsementFormatError("the collateral is not a JSON object")
    if unknown := sorted(document.keys() - {*_NAMES, _PCK_CHAIN}):
        raise EndorsementFormatError("unknown field in the collateral", found=repr(unknown[0][:64]))
    if document.get(_PCK_CHAIN) is None:
        document.pop(_PCK_CHAIN, None)
    return collateral_of({name: _octets(document, name) for name in _there(document)})


def collateral_of(parts: dict[str, bytes]) -> UnverifiedCollateral:
    """Return the collateral made of these parts, with its digest."""
    digest = Hash(SHA256())
    for name in _there(parts):
        digest.update(len(parts[name]).to_bytes(8, "big"))
        digest.update(parts[name])
    values: dict[str, Any] = {_PCK_CHAIN: None, **parts, "digest": digest.finalize()}
    return UnverifiedCollateral(**values)


def encode_collateral(parts: dict[str, bytes]) -> bytes:
    """Return the JSON document made of these parts."""
    return json.dumps(
        {name: parts[name].hex() if name in _HEX else parts[name].decode() for name in _there(parts)}
    ).encode()


def _there(parts: Container[str]) -> tuple[str, ...]:
    """Return the names of the parts, in their order: all, and the PCK chain where there is one."""
    return (*_NAMES, _PCK_CHAIN) if _PCK_CHAIN in parts else _NAMES


def _octets(document: dict[str, object], name: str) -> bytes:
    value = document.get(name)
    try:
        if isinstance(value, str):
            return _unhex(value) if name in _HEX else value.encode()
    except ValueError:
        pass
    raise EndorsementFormatError(
        f"{name} in the collateral is not as it must be",
        wanted="hexadecimal text" if name in _HEX else "text",
    )


def _unhex(text: str) -> bytes:
    octets = bytes.fromhex(text)
    if 2 * len(octets) != len(text):
        raise ValueError("blanks between the digits")
    return octets
