"""TPM Evidence: a quote, its signature, the values of the PCRs, and what the key and the log are.

A TPM gives these one by one; the envelope around them is sealmesh's (`attestation.envelope`):

    type        "sealmesh/tpm-quote/v1"
    attest      TPMS_ATTEST
    signature   TPMT_SIGNATURE
    pcrs        {bank: {index: value}}, bank by its TPM_ALG_ID
    key         optional: TPMT_PUBLIC of the key that signed
    log         optional: the firmware's event log
    ek          optional: DER of the EK certificate, then of CAs above it; for a key that is not given, but
                activated by the TPM that has this EK
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sealmesh.attestation.claim_map import ClaimMap
from sealmesh.attestation.envelope import Member, encode_envelope, open_envelope, opens_envelope
from sealmesh.attestation.tpm.algorithms import BANKS, Bank
from sealmesh.attestation.tpm.attest import MAX_PCR, Attest, parse_attest
from sealmesh.attestation.tpm.event_log import MAX_LOG_BYTES, EventLog, parse_event_log
from sealmesh.attestation.tpm.public_area import PublicArea, parse_public_area
from sealmesh.attestation.tpm.signature import Signature, parse_signature

TPM_QUOTE = "sealmesh/tpm-quote/v1"
_SUBJECT = "tpm evidence"
_MEMBERS = frozenset({"attest", "signature", "pcrs", "key", "log", "ek"})
_STRUCTURE = range(1, 2049)
_CERTIFICATE = range(1, 4097)
MAX_EK_CERTIFICATES = 4

PcrValues = Mapping[Bank, Mapping[int, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TpmEvidence:
    """A quote with what belongs to it; nothing is verified.

    Attributes:
        attest: What the TPM signed.
        signature: Its signature.
        pcrs: The values that were quoted, as the sender says.
        key: The key that signed, as the sender says; None where only the verifier knows it.
        log: How the PCRs came to their values, or None.
        ek_chain: DER of the EK certificate and of CAs above it, as the sender says; empty where the key is to
            be believed for another reason.
    """

    attest: Attest
    signature: Signature
    pcrs: PcrValues
    key: PublicArea | None = None
    log: EventLog | None = None
    ek_chain: tuple[bytes, ...] = ()


def encode_tpm_evidence(
    *,
    attest: bytes,
    signature: bytes,
    pcrs: PcrValues,
    key: bytes | None = None,
    log: bytes | None = None,
    ek_chain: tuple[bytes, ...] = (),
) -> bytes:
    """Return the envelope around a quote; the structures as the TPM gave them."""
    members: dict[str, Member] = {
        "attest": attest,
        "signature": signature,
        "pcrs": {int(bank): dict(values) for bank, values in pcrs.items()},
    }
    members |= {name: value for name, value in (("key", key), ("log", log)) if value is not None}
    members |= {"ek": ek_chain} if ek_chain else {}
    return encode_envelope(TPM_QUOTE, members)


def is_tpm_evidence(raw: bytes) -> bool:
    """Return whether the evidence could be a TPM's quote."""
    return opens_envelope(raw, TPM_QUOTE)


def parse_tpm_evidence(raw: bytes) -> TpmEvidence:
    """Parse a quote with what belongs to it.

    Raises:
        EvidenceFormatError: `format:` and `tpm evidence`, `tpm quote`, `tpm signature`, `tpm public area`
            or `event log`; `limit:event log`.
    """
    claims = open_envelope(raw, TPM_QUOTE, subject=_SUBJECT, members=_MEMBERS)
    if "ek" in claims and "key" not in claims:
        claims.refuse("key", "the key that the EK certificate is to speak for")
    log = claims.optional_octets("log", lengths=range(1, MAX_LOG_BYTES + 1))
    key = claims.optional_octets("key", lengths=_STRUCTURE)
    return TpmEvidence(
        attest=parse_attest(claims.octets("attest", lengths=_STRUCTURE)),
        signature=parse_signature(claims.octets("signature", lengths=_STRUCTURE)),
        pcrs=_pcrs(claims),
        key=None if key is None else parse_public_area(key),
        log=None if log is None else parse_event_log(log),
        ek_chain=_ek_chain(claims),
    )


def _ek_chain(claims: ClaimMap) -> tuple[bytes, ...]:
    if "ek" not in claims:
        return ()
    chain: list[bytes] = []
    for certificate in claims.items("ek", most=MAX_EK_CERTIFICATES):
        if not isinstance(certificate, bytes) or len(certificate) not in _CERTIFICATE:
            claims.refuse("ek", f"certificates of at most {_CERTIFICATE.stop - 1} bytes")
        chain.append(certificate)
    return tuple(chain)


def _pcrs(claims: ClaimMap) -> dict[Bank, dict[int, bytes]]:
    banks = claims.get("pcrs")
    if not isinstance(banks, dict):
        claims.refuse("pcrs", "a map of banks")
    pcrs: dict[Bank, dict[int, bytes]] = {}
    for number, values in banks.items():
        if number not in BANKS or not isinstance(number, int) or not isinstance(values, dict):
            claims.refuse("pcrs", "known banks, each with a map of values")
        bank = Bank(number)
        pcrs[bank] = {}
        for index, value in values.items():
            if not isinstance(index, int) or not 0 <= index <= MAX_PCR:
                claims.refuse("pcrs", f"numbers from 0 to {MAX_PCR}")
            if not isinstance(value, bytes) or len(value) != bank.length:
                claims.refuse("pcrs", f"values of {bank.length} bytes")
            pcrs[bank][index] = value
    return pcrs
