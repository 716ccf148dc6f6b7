"""Reference Values for machines with a TPM."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from sealmesh.attestation.family import Family
from sealmesh.attestation.reference.compare import empty, registers, require_length
from sealmesh.attestation.tcb import TcbAppraisal
from sealmesh.attestation.tpm import Bank, TpmClaims
from sealmesh.attestation.tpm.event_log import NO_ACTION
from sealmesh.errors.attestation import Mismatch


@dataclass(frozen=True, slots=True, kw_only=True)
class TpmReference:
    """Reference Values for a measured machine.

    A TPM has no debug mode of its own; how the machine was started is in its registers.

    Attributes:
        bank: Of the registers below; not SHA-1.
        pcrs: Registers and their values.
        events: By register, the digests that may be measured into it; each event must be one of them, and
            there must be one. For registers whose order of events varies from start to start.
    """

    family: ClassVar[Family] = Family.TPM

    bank: Bank = Bank.SHA256
    pcrs: Mapping[int, bytes] = field(default_factory=dict)
    events: Mapping[int, frozenset[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.bank is Bank.SHA1:
            raise ValueError("SHA-1 is broken; use another bank")
        for index, value in self.pcrs.items():
            require_length(f"PCR {index}", value, self.bank.length)
        for digests in self.events.values():
            if not digests:
                raise ValueError("a rule for events without a digest")
            for digest in digests:
                require_length("the digest of an event", digest, self.bank.length)

    @property
    def is_empty(self) -> bool:
        """Whether any machine would do."""
        return not self.pcrs and not self.events

    def differences(self, claims: TpmClaims, tcb: TcbAppraisal) -> Iterator[Mismatch]:
        """Yield everything that is not as wanted. Nobody makes a statement on a TPM's TCB."""
        del tcb
        if self.is_empty:
            yield empty("PCRs or Events")
        yield from registers(claims.pcrs.get(self.bank, {}), self.pcrs)
        for index, allowed in sorted(self.events.items()):
            yield from self._event_differences(claims, index, allowed)

    def _event_differences(
        self, claims: TpmClaims, index: int, allowed: frozenset[bytes]
    ) -> Iterator[Mismatch]:
        events = [event for event in claims.events if event.pcr == index and event.type != NO_ACTION]
        digests = [event.digests[self.bank] for event in events if self.bank in event.digests]
        if not digests or index not in claims.pcrs.get(self.bank, {}):
            yield Mismatch(
                field=f"Events.PCR{index}", found="no verified events", wanted="an event log for it"
            )
        for digest in dict.fromkeys(digests):
            if digest not in allowed:
                yield Mismatch(
                    field=f"Events.PCR{index}",
                    found=digest.hex(),
                    wanted=" or ".join(value.hex() for value in sorted(allowed)),
                )
