"""The firmware's event log: how the PCRs came to their values.

Plan (TCG PC Client Platform Firmware Profile, "Event Logging", sections 10.1 to 10.4):

 1. The first event is in the old form, of type EV_NO_ACTION in PCR 0, and names the banks
    (`Spec ID Event03`, TCG_EfiSpecIdEvent); all others are TCG_PCR_EVENT2 with one digest per bank. Banks
    that are not known here are skipped. Without such an event the whole log is of the old form: SHA-1 only.
 2. Replay: each PCR starts at zero (17 to 22 at ones), PCR 0 at the locality that the firmware started
    in (4 where the hardware measured the firmware, EV_EFI_HCRTM_EVENT); each event but EV_NO_ACTION
    extends it: new = H(old || digest).
 3. Some types of events are the digest of their own data; whether it is so is kept per event.

A log is nobody's word: only when its replay gives the PCRs of a verified quote does it mean anything, and
then the digests do, not yet the descriptions beside them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sealmesh.attestation.reader import Reader
from sealmesh.attestation.tpm.algorithms import BANKS, Bank
from sealmesh.errors.attestation import EvidenceFormatError

MAX_LOG_BYTES = 256 * 1024
MAX_EVENTS = 4096
NO_ACTION = 0x3
SEPARATOR = 0x4
_PCRS = 24
_MAX_DIGEST = 64
_DYNAMIC = range(17, 23)
_SUBJECT = "event log"
_SPEC_ID = b"Spec ID Event03\0"
_LOCALITY = b"StartupLocality\0"
_HCRTM_EVENT, _HCRTM_LOCALITY = 0x80000010, 4
_MEASURES_ITS_DATA = frozenset({
    SEPARATOR,
    0x5,  # EV_ACTION
    0x8,  # EV_S_CRTM_VERSION
    0x80000001,  # EV_EFI_VARIABLE_DRIVER_CONFIG
    0x80000006,  # EV_EFI_GPT_EVENT
    0x80000007,  # EV_EFI_ACTION
    0x800000E0,  # EV_EFI_VARIABLE_AUTHORITY
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event.

    Attributes:
        pcr: Which register it extends.
        type: Its type's number.
        digests: What extends the register, per bank.
        data: Its description.
    """

    pcr: int
    type: int
    digests: Mapping[Bank, bytes]
    data: bytes

    @property
    def measures_its_data(self) -> bool:
        """Whether the digests are those of the data, so that the data can be believed like them."""
        if self.type not in _MEASURES_ITS_DATA or not self.digests:
            return False
        return all(bank.digest(self.data) == digest for bank, digest in self.digests.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLog:
    """A log, taken apart; the first event, which extends nothing, is left out.

    Attributes:
        banks: The banks it has digests for.
        events: In order.
    """

    banks: tuple[Bank, ...]
    events: tuple[Event, ...]

    def replay(self, bank: Bank) -> dict[int, bytes]:
        """Return the values of the PCRs that the log extends."""
        locality = self._startup_locality()
        pcrs: dict[int, bytes] = {}
        for event in self.events:
            if event.type == NO_ACTION:
                continue
            start = (b"\xff" if event.pcr in _DYNAMIC else b"\0") * bank.length
            if event.pcr == 0:
                start = start[:-1] + bytes((locality,))
            pcrs[event.pcr] = bank.digest(pcrs.get(event.pcr, start), event.digests[bank])
        return pcrs

    def _startup_locality(self) -> int:
        for event in self.events:
            if event.type == NO_ACTION and event.data.startswith(_LOCALITY):
                return event.data[len(_LOCALITY)]
        measured = any(event.type == _HCRTM_EVENT and event.pcr == 0 for event in self.events)
        return _HCRTM_LOCALITY if measured else 0


def parse_event_log(raw: bytes) -> EventLog:
    """Parse a log of either form; zeros after the last event are the rest of its table.

    Raises:
        EvidenceFormatError: `format:event log` or `limit:event log`.
    """
    if len(raw) > MAX_LOG_BYTES:
        raise EvidenceFormatError(
            "the event log is too long", code=f"limit:{_SUBJECT}", found=len(raw), wanted=MAX_LOG_BYTES
        )
    reader = Reader(raw, _SUBJECT)
    if raw[32:48] != _SPEC_ID:
        old_events = tuple(_events(reader, _old_event))
        if not old_events:
            reader.refuse("it has no events")
        return EventLog(banks=(Bank.SHA1,), events=old_events)
    lengths = _read_specification(reader)
    events = tuple(_events(reader, lambda own: _event(own, lengths)))
    return EventLog(banks=tuple(Bank(number) for number in lengths if number in BANKS), events=events)


def _read_specification(reader: Reader) -> dict[int, int]:
    """Read the first event; return the lengths of digests by TPM_ALG_ID, in its order."""
    pcr, kind = reader.uint(4, "pcrIndex"), reader.uint(4, "eventType")
    digest = reader.take(20, "digest")
    content = Reader(reader.take(reader.uint(4, "eventSize"), "event"), _SUBJECT)
    if pcr != 0 or kind != NO_ACTION or any(digest) or content.take(16, "signature") != _SPEC_ID:
        reader.refuse("it does not begin with `Spec ID Event03`")
    content.take(8, "platform class, version and size of numbers")
    lengths: dict[int, int] = {}
    for _ in range(content.uint(4, "numberOfAlgorithms")):
        algorithm, length = content.uint(2, "algorithmId"), content.uint(2, "digestSize")
        known = Bank(algorithm).length if algorithm in BANKS else length
        if algorithm in lengths or length != known or not 0 < length <= _MAX_DIGEST:
            reader.refuse("a bank twice, or of another length", found=f"{algorithm:#x}, {length} bytes")
        lengths[algorithm] = length
    content.take(content.uint(1, "vendorInfoSize"), "vendorInfo")
    content.finish()
    if not BANKS & lengths.keys():
        reader.refuse("it has no bank that is known")
    return lengths


def _events(reader: Reader, read: Callable[[Reader], Event]) -> Iterator[Event]:
    for _ in range(MAX_EVENTS):
        if not reader.remaining or reader.is_zero_to_the_end():
            return
        yield read(reader)
    reader.refuse("too many events", wanted=f"at most {MAX_EVENTS}")


def _old_event(reader: Reader) -> Event:
    """Read a TCG_PCClientPCREvent (section 10.2.1)."""
    pcr, kind = _place(reader)
    digest = reader.take(Bank.SHA1.length, "digest")
    data = reader.take(reader.uint(4, "eventSize"), "event")
    return Event(pcr=pcr, type=kind, digests={Bank.SHA1: digest}, data=data)


def _place(reader: Reader) -> tuple[int, int]:
    """Read register and type; what extends nothing may name any register."""
    pcr, kind = reader.uint(4, "pcrIndex"), reader.uint(4, "eventType")
    if pcr >= _PCRS and kind != NO_ACTION:
        reader.refuse("an event of a register that there is not", found=pcr)
    return pcr, kind


def _event(reader: Reader, lengths: Mapping[int, int]) -> Event:
    pcr, kind = _place(reader)
    count = reader.uint(4, "the number of digests")
    if count != len(lengths):
        reader.refuse("an event with another number of digests", found=count, wanted=len(lengths))
    found: dict[int, bytes] = {}
    for _ in range(count):
        algorithm = reader.uint(2, "algorithmId")
        if algorithm not in lengths or algorithm in found:
            reader.refuse("a digest of another bank, or a second one", found=hex(algorithm))
        found[algorithm] = reader.take(lengths[algorithm], "digest")
    digests = {Bank(number): digest for number, digest in found.items() if number in BANKS}
    data = reader.take(reader.uint(4, "eventSize"), "event")
    if kind == NO_ACTION and data.startswith(_LOCALITY) and (pcr != 0 or len(data) != len(_LOCALITY) + 1):
        reader.refuse("a startup locality of another form")
    return Event(pcr=pcr, type=kind, digests=digests, data=data)
