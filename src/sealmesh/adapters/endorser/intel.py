"""Collateral for SGX and TDX from Intel's PCS or a PCCS.

Source: Intel, "API Documentation: Intel SGX and Intel TDX Provisioning Certification Service", versions 3
and 4; "Design Guide of Intel SGX Provisioning Certificate Caching Service (PCCS)", the same paths and
`rootcacrl`, where revocation lists are hexadecimal text.
"""

import json
import re
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Final

from sealmesh.adapters.endorser.claimed import ClaimedPlatforms, dcap_family
from sealmesh.adapters.endorser.fetching import Reply
from sealmesh.adapters.endorser.intel_server import IntelServer
from sealmesh.adapters.endorser.item import Item, Published, chain_in, read_crl, validity_of_chain
from sealmesh.adapters.endorser.item_cache import ItemCache
from sealmesh.adapters.endorser.pck_certificate import pck_certificate
from sealmesh.attestation import Family, UnverifiedEvidence, Validity
from sealmesh.attestation.dcap.certificates import Role, parse_chain
from sealmesh.attestation.dcap.collateral import encode_collateral
from sealmesh.attestation.dcap.qe_identity import parse_qe_identity
from sealmesh.attestation.dcap.quote import DcapQuote
from sealmesh.attestation.dcap.tcb_info import parse_tcb_info
from sealmesh.errors.attestation import EndorsementFormatError, EndorserError

_PCK_CHAIN: Final = ("sgx-pck-crl-issuer-chain",)
_TCB_CHAIN: Final = ("tcb-info-issuer-chain", "sgx-tcb-info-issuer-chain")
_QE_CHAIN: Final = ("sgx-enclave-identity-issuer-chain",)
_SIGNATURE: Final = re.compile(r'\s*,\s*"signature"\s*:\s*"([0-9a-fA-F]{128})"\s*\}\s*')


class IntelEndorser:
    """Collateral for any platform of Intel's that the server knows."""

    def __init__(self, server: IntelServer, cache: ItemCache) -> None:
        self._server = server
        self._cache = cache
        self._claimed = ClaimedPlatforms()

    def collateral_for(self, evidence: UnverifiedEvidence) -> bytes:
        """Return the collateral of the platform that `evidence` claims to be from.

        Raises:
            EndorserUnreachable: It has to be fetched and cannot be.
            EndorserError: Evidence of another vendor, or a platform that the server does not know.
            AttestationError: The certificates in the Evidence cannot be read.
        """
        family = dcap_family(evidence)
        if family is None or (family is Family.TDX and self._server.version < 4):
            raise EndorserError(
                f"{self._server.base} has nothing for this family in version {self._server.version}",
                found=evidence.family,
                wanted="sgx, tdx" if self._server.version == 4 else "sgx",
            )
        own = evidence.dcap.signature.certification.pck_chain
        chain = self._fetched_chain(family, evidence.dcap) if own is None else own
        platform = self._claimed.of_chain(chain)
        root_crl = self._cache.get(self._root_crl())
        pck_crl = self._cache.get(self._pck_crl(_ca_of(chain)))
        tcb_info = self._cache.get(self._tcb_info(family, platform.fmspc))
        identity = self._cache.get(self._qe_identity(family))
        return encode_collateral(
            {
                "pck_crl_issuer_chain": pck_crl.parts["chain"],
                "root_ca_crl": root_crl.parts["crl"],
                "pck_crl": pck_crl.parts["crl"],
                "tcb_info_issuer_chain": tcb_info.parts["chain"],
                "tcb_info": tcb_info.parts["text"],
                "tcb_info_signature": tcb_info.parts["signature"],
                "qe_identity_issuer_chain": identity.parts["chain"],
                "qe_identity": identity.parts["text"],
                "qe_identity_signature": identity.parts["signature"],
                **({} if own is not None else {"pck_certificate_chain": chain}),
            }
        )

    def _fetched_chain(self, family: Family, quote: DcapQuote) -> bytes:
        """Return the PCK chain of a quote that names its certificate."""
        found = self._cache.get(pck_certificate(self._server, family, quote))
        return found.parts["pem"]

    def _root_crl(self) -> Item:
        url = self._server.root_crl or self._server.url(Family.SGX, "rootcacrl")
        return Item(key="intel-root-crl", url=url, headers=(), read=read_crl)

    def _pck_crl(self, ca: str) -> Item:
        url = self._server.url(Family.SGX, "pckcrl", ca=ca, encoding="der")
        return Item(key=self._server.key("pck-crl", ca), url=url, headers=_PCK_CHAIN, read=_read_pck_crl)

    def _tcb_info(self, family: Family, fmspc: bytes) -> Item:
        digits = fmspc.hex().upper()
        return Item(
            key=self._server.key(family.value, "tcb", digits),
            url=self._server.url(family, "tcb", fmspc=digits),
            headers=_TCB_CHAIN,
            read=partial(_read_tcb_info, family, fmspc),
            platform=family,
        )

    def _qe_identity(self, family: Family) -> Item:
        return Item(
            key=self._server.key(family.value, "qe-identity"),
            url=self._server.url(family, "qe/identity"),
            headers=_QE_CHAIN,
            read=partial(_read_qe_identity, family),
        )


@lru_cache(maxsize=1024)
def _ca_of(pck_chain: bytes) -> str:
    """Return which of Intel's two CAs the PCK certificate names as its issuer."""
    pck = parse_chain(pck_chain, Role.PCK, Role.CA, Role.ROOT)[0]
    return "processor" if "Processor CA" in pck.issuer.rfc4514_string() else "platform"


def _read_pck_crl(reply: Reply) -> Published:
    chain, crl = chain_in(reply, _PCK_CHAIN), read_crl(reply)
    return Published(
        parts={"chain": chain, **crl.parts},
        issued=crl.issued,
        validity=crl.validity.intersect(validity_of_chain(chain)),
    )


def _read_tcb_info(family: Family, fmspc: bytes, reply: Reply) -> Published:
    def dates(text: bytes) -> Validity:
        found = parse_tcb_info(text)
        if (found.family, found.fmspc) != (family, fmspc):
            raise EndorsementFormatError(
                "the TCB info is for another kind of platform",
                found=f"{found.family}/{found.fmspc.hex()}",
                wanted=f"{family}/{fmspc.hex()}",
            )
        return found.validity

    return _read_signed(reply, "tcbInfo", _TCB_CHAIN, dates)


def _read_qe_identity(family: Family, reply: Reply) -> Published:
    def dates(text: bytes) -> Validity:
        found = parse_qe_identity(text)
        if found.family is not family:
            raise EndorsementFormatError("the identity is another enclave's", found=found.family)
        return found.validity

    return _read_signed(reply, "enclaveIdentity", _QE_CHAIN, dates)


def _read_signed(
    reply: Reply, name: str, headers: tuple[str, ...], dates: Callable[[bytes], Validity]
) -> Published:
    """Take `{"<name>": <document>, "signature": "<hex>"}` apart; what is signed is the text as it stands."""
    chain = chain_in(reply, headers)
    try:
        text = reply.body.decode()
        start = re.match(rf'\s*\{{\s*"{name}"\s*:\s*', text)
        if start is None:
            raise ValueError(f"it does not begin with {name}")
        _, end = json.JSONDecoder().raw_decode(text, start.end())
        signature = _SIGNATURE.fullmatch(text, end)
        if signature is None:
            raise ValueError("it does not end with a signature of 64 bytes")
    except (ValueError, RecursionError) as error:
        raise EndorsementFormatError(f"the answer is no signed {name}: {error}") from error
    document = text[start.end() : end].encode()
    validity = dates(document)
    return Published(
        parts={"chain": chain, "text": document, "signature": bytes.fromhex(signature[1])},
        issued=validity.not_before,
        validity=validity.intersect(validity_of_chain(chain)),
    )
