"""Verification of TPM quotes.

Plan (TCG TPM 2.0 Library, part 1, section 9.5 "Attestation", and part 3, section 18.4 "TPM2_Quote"):

 1. The attestation key is believed: `tpm.attestation_key`.
 2. It signed the quote, by its own scheme.
 3. The nonce is the one that was sent, where one was.
 4. The values of the registers are there for exactly those that the quote selects.
 5. Their digest is the quote's: H(values in the order of the selection), H being the signature's hash.
 6. Event log, where there is one: its replay gives the value of each quoted register that it extends, in
    each bank that both have.

Not looked at: what the registers should be, how often the machine restarted, whether its clock is safe,
what the log's events are. Those are facts for `appraise`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sealmesh.attestation.cache import VerificationCache
from sealmesh.attestation.genuine import Genuine
from sealmesh.attestation.nonce import verify_nonce
from sealmesh.attestation.roots import TrustRoot
from sealmesh.attestation.tpm.algorithms import Bank
from sealmesh.attestation.tpm.attest import Attest
from sealmesh.attestation.tpm.attestation_key import ActivatedKey, EndorsedKey, GivenKeys, VerifiedKey
from sealmesh.attestation.tpm.claims import TpmClaims
from sealmesh.attestation.tpm.event_log import Event, EventLog
from sealmesh.attestation.tpm.evidence import PcrValues, TpmEvidence
from sealmesh.attestation.unchecked import Unchecked
from sealmesh.errors.attestation import VerificationError


@dataclass(frozen=True, slots=True, kw_only=True)
class TpmCollateral:
    """What a quote needs besides itself.

    Attributes:
        key: Why its key is believed, if it is.
        nonce: What was sent to this TPM for this quote, or `Unchecked()`: then it is for `appraise`, as
            the report data.
    """

    key: GivenKeys | EndorsedKey | ActivatedKey
    nonce: bytes | Unchecked


def verify_tpm(
    evidence: TpmEvidence,
    collateral: TpmCollateral,
    *,
    roots: Sequence[TrustRoot],
    now: datetime,
    cache: VerificationCache | None = None,
) -> Genuine[TpmClaims]:
    """Verify a quote; the plan is the module's.

    Raises:
        EndorsementFormatError: A certificate cannot be read.
        VerificationError: The key's (`tpm.attestation_key`), `signature:quote`, `nonce`, `pcr selection`,
            `pcr digest`, `event log:bank` or `event log:pcr <n>`.
    """
    attest = evidence.attest
    # 1. The key.
    key = _verify_key(evidence, collateral, roots, now, cache)
    # 2. Signature.
    evidence.signature.verify(key.key, attest.raw)
    # 3. Nonce.
    verify_nonce(attest.nonce, collateral.nonce)
    # 4. and 5. Registers.
    verify_pcrs(attest, evidence.pcrs, digested_with=evidence.signature.hash)
    # 6. Event log.
    events = () if evidence.log is None else _verify_log(evidence.log, evidence.pcrs)
    claims = TpmClaims(
        scheme=evidence.signature.scheme,
        nonce=attest.nonce,
        selection=attest.selection,
        pcrs=evidence.pcrs,
        clock=attest.clock,
        firmware=attest.firmware,
        manufacturer=key.manufacturer,
        events=events,
    )
    return Genuine(root=key.root, validity=key.validity, claims=claims)


def _verify_key(
    evidence: TpmEvidence,
    collateral: TpmCollateral,
    roots: Sequence[TrustRoot],
    now: datetime,
    cache: VerificationCache | None,
) -> VerifiedKey:
    if isinstance(collateral.key, ActivatedKey):
        return collateral.key.verify(evidence.key, roots, now, cache)
    return collateral.key.verify(evidence.key, roots)


def verify_pcrs(attest: Attest, pcrs: PcrValues, *, digested_with: Bank) -> None:
    """Accept values of registers only if they are exactly those that were quoted (steps 4 and 5).

    Raises:
        VerificationError: `pcr selection` or `pcr digest`.
    """
    quoted = {(bank, index) for bank, indices in attest.selection for index in indices}
    given = {(bank, index) for bank, values in pcrs.items() for index in values}
    if quoted != given:
        raise VerificationError(
            "the values are not those of the registers that were quoted",
            code="pcr selection",
            found=_spell(given - quoted) or "less than was quoted",
            wanted=_spell(quoted) or "none",
        )
    values = (pcrs[bank][index] for bank, indices in attest.selection for index in indices)
    found = digested_with.digest(*values)
    if found != attest.pcr_digest:
        raise VerificationError(
            "the values of the registers are not those that were quoted",
            code="pcr digest",
            found=found.hex(),
            wanted=attest.pcr_digest.hex(),
        )


def _verify_log(log: EventLog, pcrs: PcrValues) -> tuple[Event, ...]:
    shared = [bank for bank in pcrs if bank in log.banks and bank is not Bank.SHA1]
    if not shared:
        raise VerificationError(
            "the event log has no bank in which registers were quoted",
            code="event log:bank",
            found=", ".join(bank.name for bank in log.banks),
        )
    for bank in shared:
        for index, value in log.replay(bank).items():
            quoted = pcrs[bank].get(index)
            if quoted is not None and quoted != value:
                raise VerificationError(
                    f"the event log does not lead to PCR {index}",
                    code=f"event log:pcr {index}",
                    found=value.hex(),
                    wanted=quoted.hex(),
                )
    verified = set.intersection(*(set(pcrs[bank]) for bank in shared))
    return tuple(event for event in log.events if event.pcr in verified)


def _spell(registers: set[tuple[Bank, int]]) -> str:
    return ", ".join(f"{bank.name}:{index}" for bank, index in sorted(registers))
