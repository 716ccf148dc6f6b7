"""Attestation documents of a Nitro Enclave from its security module, `/dev/nsm`.

Linux, `include/uapi/linux/nsm.h`: one ioctl carries a request and an answer. Both are CBOR as AWS's
Nitro Secure Module API defines them: `{"Attestation": {"user_data", "nonce", "public_key"}}`, answered by
`{"Attestation": {"document"}}` or `{"Error"}`.
"""

import ctypes
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Final

from sealmesh.attestation import REPORT_DATA_LENGTH
from sealmesh.attestation.cbor import Value, decode, encode_bytes, encode_head, encode_text
from sealmesh.errors.attestation import EvidenceFormatError, PlatformError

#: _IOWR(0x0A, 0, struct nsm_raw), 32 bytes.
NSM_IOCTL_RAW: Final = 0xC0200A00
RESPONSE_BYTES: Final = 0x3000
"""NSM_RESPONSE_MAX_SIZE."""
_NULL: Final = b"\xf6"

Ioctl = Callable[[int, int, ctypes.Structure], int]


class NsmMessage(ctypes.Structure):
    """`struct nsm_raw`: two `struct nsm_iovec`."""

    _fields_: ClassVar = [
        ("request_address", ctypes.c_uint64),
        ("request_length", ctypes.c_uint64),
        ("response_address", ctypes.c_uint64),
        ("response_length", ctypes.c_uint64),
    ]


class NsmAttester:
    """Documents of this enclave; the report data is their user data.

    Args:
        device: The security module.
        ioctl: The system call, for tests that emulate the module.
    """

    def __init__(self, device: Path, *, ioctl: Ioctl = fcntl.ioctl) -> None:
        self._device = device
        self._ioctl = ioctl

    def evidence(self, report_data: bytes) -> bytes:
        """Return a document over `report_data`, at most 64 bytes."""
        answer = self._ask(_request(report_data.ljust(REPORT_DATA_LENGTH, b"\0")))
        try:
            return _document(decode(answer, subject="NSM answer"))
        except EvidenceFormatError as error:
            raise _refusal(error.message) from error

    def describe(self) -> str:
        """Return one phrase for people."""
        return f"Nitro attestation documents from {self._device}"

    def _ask(self, request: bytes) -> bytes:
        outgoing = ctypes.create_string_buffer(request, len(request))
        incoming = ctypes.create_string_buffer(RESPONSE_BYTES)
        message = NsmMessage(
            request_address=ctypes.addressof(outgoing),
            request_length=len(request),
            response_address=ctypes.addressof(incoming),
            response_length=RESPONSE_BYTES,
        )
        try:
            descriptor = os.open(self._device, os.O_RDWR | os.O_CLOEXEC)
            try:
                self._ioctl(descriptor, NSM_IOCTL_RAW, message)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _refusal(f"{self._device}: {error.strerror}") from error
        return incoming.raw[: min(message.response_length, RESPONSE_BYTES)]


def _request(user_data: bytes) -> bytes:
    fields = {"user_data": encode_bytes(user_data), "nonce": _NULL, "public_key": _NULL}
    body = encode_head(5, len(fields)) + b"".join(encode_text(name) + value for name, value in fields.items())
    return encode_head(5, 1) + encode_text("Attestation") + body


def _document(answer: Value) -> bytes:
    """Return the document in an answer."""
    body = answer.get("Attestation") if isinstance(answer, dict) else None
    document = body.get("document") if isinstance(body, dict) else None
    if isinstance(document, bytes) and document:
        return document
    problem = answer.get("Error") if isinstance(answer, dict) else None
    raise _refusal(f"error {problem}" if isinstance(problem, str) else "an answer of another form")


def _refusal(found: str) -> PlatformError:
    return PlatformError(
        "the Nitro security module gives no document",
        found=found,
        wanted="an attestation document",
        remedy="Run it in a Nitro Enclave whose kernel has the nsm driver.",
    )
