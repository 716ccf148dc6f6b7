"""TPM quotes with event log and EK certificate, whose TPM answered a challenge."""

from fuzz.evidence import evidence_target

TARGET = evidence_target(
    "tpm-activated",
    words=(b"sealmesh/tpm-quote/v1", b"bek", b"ckey", b"clog", b"dpcrs", b"Spec ID Event03\0"),
)
