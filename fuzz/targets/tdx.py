"""TDX quotes, versions 4 and 5."""

from fuzz.evidence import evidence_target

TARGET = evidence_target(
    "tdx", words=(b"\x05\0\x02\0\x81\0\0\0", b"\x03\0\x84\x02\0\0", b"-----BEGIN CERTIFICATE-----\n")
)
