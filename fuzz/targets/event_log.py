"""TPM event logs, and the other structures of a TPM that come from outside."""

from contextlib import suppress

from fuzz.makers import evidence_maker
from fuzz.target import Target
from sealmesh.attestation.tpm import parse_event_log, parse_public_area
from sealmesh.attestation.tpm.attest import parse_attest
from sealmesh.attestation.tpm.signature import parse_signature
from sealmesh.errors import SealmeshError

_READERS = (parse_attest, parse_signature, parse_public_area)


def _read(data: bytes) -> None:
    """Read the bytes as each of them; only an event log is accepted."""
    for reader in _READERS:
        with suppress(SealmeshError):
            reader(data)
    parse_event_log(data)


def _seeds() -> dict[str, bytes]:
    maker = evidence_maker().load("tpm")
    banks = (0x4, 0xB, 0xC)
    events = [
        maker.event(pcr, kind, b"v1" * pcr, banks=banks) for pcr, kind in ((0, 8), (4, 0xD), (7, 0x80000001))
    ]
    return {
        "one bank": maker.event_log([maker.event(0, 8, b"v1")]),
        "three banks": maker.event_log(events, banks=banks),
    }


TARGET = Target(
    run=_read,
    seeds=_seeds,
    words=(b"Spec ID Event03\0", b"StartupLocality\0", b"\xffTCG\x80\x18", b"\x0b\0\x20\0", b"\x0c\0\x30\0"),
    longest=64 * 1024,
)
