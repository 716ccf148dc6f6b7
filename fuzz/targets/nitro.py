"""Nitro attestation documents."""

from fuzz.evidence import evidence_target

TARGET = evidence_target(
    "nitro", words=(b"pcrs", b"cabundle", b"certificate", b"timestamp", b"\xd2", b"\x9f", b"\xbf", b"\xff")
)
