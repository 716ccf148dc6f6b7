"""Reading what a TPM signs. Source: TCG TPM 2.0 Library, part 2, section 10.12 (TPMS_ATTEST)."""

from dataclasses import dataclass

from sealmesh.attestation.reader import Reader
from sealmesh.attestation.tpm.algorithms import BANKS, Bank

GENERATED = 0xFF544347
"""TPM_GENERATED_VALUE: only the TPM itself puts it before what a restricted key signs."""

QUOTE = 0x8018
MAX_PCR = 31
MAX_NONCE = 66
_MAX_NAME = 66
_MAX_SELECT = 4
_SUBJECT = "tpm quote"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The TPM's clock.

    Attributes:
        milliseconds: Since it was last cleared.
        reset_count: How often the machine was started.
        restart_count: How often it slept or hibernated since.
        safe: Whether the clock has certainly not run backwards.
    """

    milliseconds: int
    reset_count: int
    restart_count: int
    safe: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Attest:
    """A TPMS_ATTEST of type quote; nothing is verified.

    Attributes:
        raw: Its bytes, which are signed.
        qualified_signer: The Name of the key that signs, with those above it.
        nonce: extraData, what the challenger sent.
        clock: The TPM's clock.
        firmware: Its firmware's version.
        selection: The PCRs that are quoted, per bank, in the order in which they are digested.
        pcr_digest: The digest over their values.
    """

    raw: bytes
    qualified_signer: bytes
    nonce: bytes
    clock: Clock
    firmware: int
    selection: tuple[tuple[Bank, tuple[int, ...]], ...]
    pcr_digest: bytes


def parse_attest(raw: bytes) -> Attest:
    """Parse a TPMS_ATTEST.

    Raises:
        EvidenceFormatError: `format:tpm quote`: not made by a TPM, not a quote, or not whole.
    """
    reader = Reader(raw, _SUBJECT)
    if reader.big_uint(4, "magic") != GENERATED:
        reader.refuse("it was not made by a TPM", wanted="TPM_GENERATED_VALUE")
    kind = reader.big_uint(2, "type")
    if kind != QUOTE:
        reader.refuse("it attests something else", found=hex(kind), wanted="TPM_ST_ATTEST_QUOTE")
    signer = reader.sized("qualifiedSigner", most=_MAX_NAME)
    nonce = reader.sized("extraData", most=MAX_NONCE)
    clock = _clock(reader)
    firmware = reader.big_uint(8, "firmwareVersion")
    selection = _selection(reader)
    pcr_digest = reader.sized("pcrDigest", most=64)
    reader.finish()
    return Attest(
        raw=raw,
        qualified_signer=signer,
        nonce=nonce,
        clock=clock,
        firmware=firmware,
        selection=selection,
        pcr_digest=pcr_digest,
    )


def _clock(reader: Reader) -> Clock:
    milliseconds = reader.big_uint(8, "clock")
    resets, restarts = reader.big_uint(4, "resetCount"), reader.big_uint(4, "restartCount")
    safe = reader.big_uint(1, "safe")
    if safe > 1:
        reader.refuse("safe is neither yes nor no", found=safe)
    return Clock(milliseconds=milliseconds, reset_count=resets, restart_count=restarts, safe=bool(safe))


def _selection(reader: Reader) -> tuple[tuple[Bank, tuple[int, ...]], ...]:
    count = reader.big_uint(4, "the number of PCR selections")
    if count > len(BANKS):
        reader.refuse("too many PCR selections", found=count, wanted=f"at most {len(BANKS)}")
    selection: list[tuple[Bank, tuple[int, ...]]] = []
    for _ in range(count):
        algorithm = reader.big_uint(2, "the bank")
        if algorithm not in BANKS or any(algorithm == bank for bank, _ in selection):
            reader.refuse("a bank that is unknown or stands twice", found=hex(algorithm))
        size = reader.big_uint(1, "sizeofSelect")
        if size > _MAX_SELECT:
            reader.refuse("a selection of too many PCRs", found=f"{size} bytes")
        bits = reader.uint(size, "pcrSelect")
        selection.append((Bank(algorithm), tuple(n for n in range(8 * size) if bits >> n & 1)))
    return tuple(selection)
