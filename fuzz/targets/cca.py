"""Arm CCA tokens."""

from fuzz.evidence import evidence_target

TARGET = evidence_target(
    "cca", words=(b"\xd9\x01\x8f", b"\x19\xac\xca", b"\x19\xac\xd1", b"\x9f", b"\xbf", b"\xff", b"sha-512")
)
