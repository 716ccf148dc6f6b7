"""NVIDIA measurements."""

from fuzz.evidence import evidence_target

TARGET = evidence_target(
    "gpu", words=(b"-----BEGIN CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n", b"\x11\xe0\x01\xff")
)
