"""Signatures in enclaves of others: Gramine's `.sig`, programs of EGo and Open Enclave, Occlum's image.

All of them carry an SGX SIGSTRUCT (Intel SDM volume 3D) somewhere in the file. It is found by its two fixed
headers, and counts only if its own RSA signature holds.
"""

from collections.abc import Iterator
from pathlib import Path

from sealmesh.attestation.simulated import SignatureStructure, parse_signature_structure
from sealmesh.errors.attestation import AttestationError, PackageError

_LENGTH = 1808
_HEADER = bytes.fromhex("06000000e10000000000010000000000")
_HEADER2 = bytes.fromhex("01010000600000006000000001000000")
_HEADER2_AT = 24
#: Where the signature is in a folder.
_IN_FOLDERS = ("*.sig", "build/lib/libocclum-libos.signed.so")
MAX_ENCLAVE_BYTES = 4 * 1024 * 1024 * 1024


def enclave_signature(path: Path) -> SignatureStructure:
    """Return the first signature in `path` that holds: a file, or a folder of Gramine's or Occlum's.

    Only the signature is looked at, not whether the rest of the file measures to what was signed.

    Raises:
        PackageError: `package:file` if it cannot be read, `package:signature` if there is none.
    """
    for file in _files(path):
        found = signature_in(_read(file))
        if found is not None:
            return found
    raise PackageError(
        "there is no SGX signature", code="package:signature", found=path,
        remedy="Give a signed enclave: Gramine's .sig, a program signed by EGo, or Occlum's image folder.",
    )  # fmt: skip


def signature_in(content: bytes) -> SignatureStructure | None:
    """Return the first signature in an enclave's bytes that holds, None where there is none."""
    return next(_signatures(content), None)


def _files(path: Path) -> list[Path]:
    return (
        [file for pattern in _IN_FOLDERS for file in sorted(path.glob(pattern))] if path.is_dir() else [path]
    )


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_ENCLAVE_BYTES:
            raise PackageError("the file is too large for an enclave", code="package:file", found=path)
        return path.read_bytes()
    except OSError as error:
        raise PackageError(
            "the enclave cannot be read", code="package:file", found=f"{path}: {error.strerror}"
        ) from error


def _signatures(content: bytes) -> Iterator[SignatureStructure]:
    at = content.find(_HEADER)
    while at >= 0:
        if content.startswith(_HEADER2, at + _HEADER2_AT):
            try:
                yield parse_signature_structure(content[at : at + _LENGTH])
            except AttestationError:
                pass  # looks like one by chance
        at = content.find(_HEADER, at + 1)
