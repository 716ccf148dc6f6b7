"""The firmware's event log: how the PCRs came to their values.

Plan (TCG PC Client Platform Firmware Profile, "Event Logging", sections 10.1 to 10.4):

 1. The first event is in the old form, of type EV_NO_ACTION in PCR 0, and names the banks
    (`Spec ID Event03`, TCG_EfiSpecIdEvent); all others are TCG_PCR_EVENT2 with one digest per bank.
 2. Replay: each PCR starts at zero (17 to 22 at ones), PCR 0 at the locality that the firmware started
    in; each event but EV_NO_ACTION extends it: new = H(old || digest).
 3. Some types of events are the digest of their own data; whether it is so is kept per event.

A log is nobody's word: only when its replay gives the PCRs of a verified quote does it mean anything, and
then the digests do, not yet the descriptions beside them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sealmesh.attestation.reader import Reader
from sealmesh.attestation.tpm.algorithms import BANKS, Bank
from sealmesh.errors.attestation import EvidenceFormatError

MAX_LOG_BYTES = 256 * 1024
MAX_EVENTS = 4096
NO_ACTION = 0x3
SEPARATOR = 0x4
_PCRS = 24
_DYNAMIC = range(17, 23)
_SUBJECT = "event log"
_SPEC_ID = b"Spec ID Event03\0"
_LOCALITY = b"StartupLocality\0"
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
        return 0


def parse_event_log(raw: bytes) -> EventLog:
    """Parse a log of the crypto-agile form; zeros after the last event are the rest of its table.

    Raises:
        EvidenceFormatError: `format:event log` or `limit:event log`.
    """
    if len(raw) > MAX_LOG_BYTES:
        raise EvidenceFormatError(
            "the event log is too long", code=f"limit:{_SUBJECT}", found=len(raw), wanted=MAX_LOG_BYTES
        )
    reader = Reader(raw, _SUBJECT)
    banks = _read_specification(reader)
    events = tuple(_events(reader, banks))
    return EventLog(banks=tuple(banks), events=events)


def _read_specification(reader: Reader) -> dict[Bank, int]:
    """Read the first event; return the banks in its order, with the lengths of their digests."""
    pcr, kind = reader.uint(4, "pcrIndex"), reader.uint(4, "eventType")
    digest = reader.take(20, "digest")
    content = Reader(reader.take(reader.uint(4, "eventSize"), "event"), _SUBJECT)
    if pcr != 0 or kind != NO_ACTION or any(digest) or content.take(16, "signature") != _SPEC_ID:
        reader.refuse("it does not begin with `Spec ID Event03`")
    content.take(8, "platform class, version and size of numbers")
    banks: dict[Bank, int] = {}
    for _ in range(content.uint(4, "numberOfAlgorithms")):
        algorithm, length = content.uint(2, "algorithmId"), content.uint(2, "digestSize")
        if algorithm not in BANKS or Bank(algorithm) in banks or Bank(algorithm).length != length:
            reader.refuse("a bank that is unknown or stands twice", found=f"{algorithm:#x}, {length} bytes")
        banks[Bank(algorithm)] = length
    content.take(content.uint(1, "vendorInfoSize"), "vendorInfo")
    content.finish()
    if not banks:
        reader.refuse("it has no banks")
    return banks


def _events(reader: Reader, banks: Mapping[Bank, int]) -> Iterator[Event]:
    for _ in range(MAX_EVENTS):
        if not reader.remaining or reader.is_zero_to_the_end():
            return
        yield _event(reader, banks)
    reader.refuse("too many events", wanted=f"at most {MAX_EVENTS}")


def _event(reader: Reader, banks: Mapping[Bank, int]) -> Event:
    pcr, kind = reader.uint(4, "pcrIndex"), reader.uint(4, "eventType")
    count = reader.uint(4, "the number of digests")
    if pcr >= _PCRS or count != len(banks):
        reader.refuse("an event of another form", found=f"PCR {pcr}, {count} digests")
    digests: dict[Bank, bytes] = {}
    for _ in range(count):
        algorithm = reader.uint(2, "algorithmId")
        if algorithm not in banks or Bank(algorithm) in digests:
            reader.refuse("a digest of another bank, or a second one", found=hex(algorithm))
        digests[Bank(algorithm)] = reader.take(banks[Bank(algorithm)], "digest")
    data = reader.take(reader.uint(4, "eventSize"), "event")
    if kind == NO_ACTION and data.startswith(_LOCALITY) and (pcr != 0 or len(data) != len(_LOCALITY) + 1):
        reader.refuse("a startup locality of another form")
    return Event(pcr=pcr, type=kind, digests=digests, data=data)
