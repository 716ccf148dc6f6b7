"""What a verified TPM quote says."""

from collections.abc import Mapping
from dataclasses import dataclass

from sealmesh.attestation.tpm.algorithms import Bank, Scheme
from sealmesh.attestation.tpm.attest import Clock
from sealmesh.attestation.tpm.event_log import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class TpmClaims:
    """Facts about a machine with a TPM. Whether they are wanted is for `appraise`.

    Attributes:
        scheme: How the quote was signed.
        nonce: What the challenger sent, at most 66 bytes; the report data of other families.
        selection: The registers that were quoted, per bank.
        pcrs: Their values, verified against the quote.
        clock: The TPM's clock.
        firmware: Its firmware's version.
        manufacturer: Who vouches for the TPM, or None where the attestation key was given.
        events: The event log, whose replay gave the values of these registers; empty without one.
    """

    scheme: Scheme
    nonce: bytes
    selection: tuple[tuple[Bank, tuple[int, ...]], ...]
    pcrs: Mapping[Bank, Mapping[int, bytes]]
    clock: Clock
    firmware: int
    manufacturer: str | None
    events: tuple[Event, ...]
