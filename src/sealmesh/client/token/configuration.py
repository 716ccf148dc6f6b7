"""Which token: the JSON file that MarbleRun's client takes.

    {"Path": "/usr/lib/softhsm/libsofthsm2.so", "TokenLabel": "ops", "Pin": "1234"}

`TokenLabel`, `TokenSerial` or `SlotNumber` names the token, exactly one of them. Without `Pin` the PIN is in
the environment, `SEALMESH_PKCS11_PIN`. Members that tune the reference's own driver are read over.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sealmesh.errors.client import TokenError

PIN_VARIABLE = "SEALMESH_PKCS11_PIN"
_READ_OVER = frozenset({
    "maxsessions", "usertype", "poolwaittimeout", "loginnotsupported", "usegcmivfromhsm", "gcmivlength",
    "gcmivfromhsmcontrol",
})  # fmt: skip
_KNOWN = {name.lower(): name for name in ("Path", "TokenLabel", "TokenSerial", "SlotNumber", "Pin")}


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenConfiguration:
    """A PKCS#11 library and a token in it."""

    library: Path
    label: str | None = None
    serial: str | None = None
    slot: int | None = None
    pin: str = field(default="", repr=False)


def parse_token_configuration(raw: bytes, *, pin: str = "") -> TokenConfiguration:
    """Return the configuration in `raw`; `pin` counts where the file has none.

    Raises:
        TokenError: It is not JSON of this form, or does not name exactly one token.
    """
    members = _members(raw)
    names = [name for name in ("TokenLabel", "TokenSerial", "SlotNumber") if members.get(name) is not None]
    if len(names) != 1 or not members.get("Path"):
        raise TokenError(
            "the token's configuration does not name one token",
            found=", ".join(sorted(members)) or "nothing",
            wanted="Path, and one of TokenLabel, TokenSerial, SlotNumber",
        )
    return TokenConfiguration(
        library=Path(_text(members, "Path") or ""),
        label=_text(members, "TokenLabel"),
        serial=_text(members, "TokenSerial"),
        slot=_slot(members.get("SlotNumber")),
        pin=_text(members, "Pin") or pin,
    )


def _members(raw: bytes) -> dict[str, Any]:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise TokenError("the token's configuration is not JSON") from error
    if not isinstance(document, dict):
        raise TokenError("the token's configuration is not an object")
    unknown = sorted(name for name in document if name.lower() not in _KNOWN.keys() | _READ_OVER)
    if unknown:
        raise TokenError(
            "unknown member in the token's configuration",
            found=", ".join(unknown),
            wanted=", ".join(_KNOWN.values()),
        )
    return {_KNOWN[name.lower()]: value for name, value in document.items() if name.lower() in _KNOWN}


def _text(members: dict[str, Any], name: str) -> str | None:
    value = members.get(name)
    if value is not None and not isinstance(value, str):
        raise TokenError(f"{name} is a text", found=type(value).__name__)
    return value


def _slot(value: Any) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise TokenError("SlotNumber is a number, 0 or more", found=type(value).__name__)
    return value
