"""What the operator says about sealing: where the key of the state comes from, and what it is anchored to.

Written like URIs. Sealers, one or several separated by blanks, the first of which seals:

    platform                                        the TEE of the Coordinator's own Evidence
    gramine[:DIRECTORY]                             /dev/attestation/keys
    snp[:DEVICE][?vmpl=N]                           /dev/sev-guest
    tpm[:TCTI]?pcrs=sha256:0,4,7                    device:/dev/tpmrm0
    pkcs11:token=T;object=O?module-path=LIB&pin-source=file:FILE        RFC 7512

Anchors: `file:PATH`, or `tpm[:TCTI][?index=0x01500010]`.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from sealmesh.adapters.anchor.tpm import DEFAULT_INDEX, FIRST_INDEX, LAST_INDEX
from sealmesh.adapters.sealer.gramine import DIRECTORY
from sealmesh.adapters.sealer.pkcs11 import TokenKey
from sealmesh.adapters.sealer.snp import HIGHEST_VMPL
from sealmesh.adapters.sev_guest import DEVICE
from sealmesh.adapters.tpm import DEFAULT_TCTI

_PCRS: Final = re.compile(r"sha(1|256|384|512):([0-9]|1[0-9]|2[0-3])(,([0-9]|1[0-9]|2[0-3]))*")


@dataclass(frozen=True, slots=True)
class PlatformSealing:
    """By the TEE that the Coordinator's own Evidence comes from."""


@dataclass(frozen=True, slots=True)
class GramineSealing:
    """By the keys that Gramine shows in a directory."""

    directory: Path = DIRECTORY


@dataclass(frozen=True, slots=True)
class SnpSealing:
    """By the AMD secure processor."""

    device: Path = DEVICE
    vmpl: int = 0


@dataclass(frozen=True, slots=True)
class TpmSealing:
    """By a TPM, to registers."""

    tcti: str
    pcrs: str


SealerChoice = PlatformSealing | GramineSealing | SnpSealing | TpmSealing | TokenKey


@dataclass(frozen=True, slots=True)
class FileAnchoring:
    """By a file in another place."""

    path: Path


@dataclass(frozen=True, slots=True)
class TpmAnchoring:
    """By a TPM's counter."""

    tcti: str
    index: int


AnchorChoice = FileAnchoring | TpmAnchoring | None


@dataclass(frozen=True, slots=True)
class _Uri:
    scheme: str
    path: str
    query: dict[str, str]

    def only(self, *names: str) -> None:
        unknown = sorted(set(self.query) - set(names))
        if unknown:
            raise ValueError(f"no {unknown[0]!r} after the question mark of {self.scheme!r}")


def read_sealers(text: str) -> tuple[SealerChoice, ...]:
    """Read which sealers to use; the first seals."""
    return tuple(_sealer(_uri(word)) for word in text.split()) or (PlatformSealing(),)


def read_anchor(text: str) -> AnchorChoice:
    """Read what to anchor the state to; nothing for nothing."""
    if not text.strip():
        return None
    uri = _uri(text.strip())
    match uri.scheme:
        case "file" if uri.path.startswith("/"):
            uri.only()
            return FileAnchoring(Path(unquote(uri.path)))
        case "tpm":
            uri.only("index")
            return TpmAnchoring(uri.path or DEFAULT_TCTI, _index(uri.query.get("index")))
    raise ValueError("file:/ABSOLUTE/PATH or tpm[:TCTI][?index=0x...]")


def _sealer(uri: _Uri) -> SealerChoice:
    match uri.scheme:
        case "platform" if not uri.path:
            uri.only()
            return PlatformSealing()
        case "gramine":
            uri.only()
            return GramineSealing(Path(unquote(uri.path)) if uri.path else DIRECTORY)
        case "snp":
            uri.only("vmpl")
            return SnpSealing(Path(unquote(uri.path)) if uri.path else DEVICE, _vmpl(uri.query.get("vmpl")))
        case "tpm":
            uri.only("pcrs")
            return TpmSealing(uri.path or DEFAULT_TCTI, _pcrs(uri.query.get("pcrs")))
        case "pkcs11":
            return _token(uri)
    raise ValueError("platform, gramine, snp, tpm:...?pcrs=..., or pkcs11:token=...;object=...?...")


def _uri(text: str) -> _Uri:
    before, mark, after = text.partition("?")
    scheme, _, path = before.partition(":")
    return _Uri(scheme, path, _attributes(after.split("&")) if mark else {})


def _attributes(parts: list[str]) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for part in parts:
        name, equals, value = part.partition("=")
        if not name or not equals or name in attributes:
            raise ValueError(f"NAME=VALUE, each name once, instead of {part!r}")
        attributes[name] = unquote(value)
    return attributes


def _vmpl(text: str | None) -> int:
    if text is None:
        return 0
    if not text.isdecimal() or int(text) > HIGHEST_VMPL:
        raise ValueError(f"vmpl=0 to vmpl={HIGHEST_VMPL}")
    return int(text)


def _pcrs(text: str | None) -> str:
    if text is None or not _PCRS.fullmatch(text):
        raise ValueError(
            "the registers that measure the Coordinator's software, as tpm:...?pcrs=sha256:0,4,7"
        )
    return text


def _index(text: str | None) -> int:
    try:
        index = DEFAULT_INDEX if text is None else int(text, 16)
    except ValueError:
        index = 0
    if not FIRST_INDEX <= index <= LAST_INDEX:
        raise ValueError(f"an NV index in hex, {FIRST_INDEX:#010x} to {LAST_INDEX:#010x}")
    return index


def _token(uri: _Uri) -> TokenKey:
    named = _attributes(uri.path.split(";"))
    uri.only("module-path", "pin-source")
    pin = uri.query.get("pin-source", "").removeprefix("file:")
    module = uri.query.get("module-path", "")
    if set(named) != {"token", "object"} or not pin.startswith("/") or not module.startswith("/"):
        raise ValueError("pkcs11:token=T;object=O?module-path=/LIBRARY.so&pin-source=file:/PIN-FILE")
    return TokenKey(module=Path(module), token=named["token"], label=named["object"], pin_file=Path(pin))
