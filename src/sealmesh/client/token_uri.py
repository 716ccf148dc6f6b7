"""PKCS#11 URIs (RFC 7512): a key in a token as one word.

    pkcs11:token=ops;object=alice?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/run/pin

Known are `token`, `serial`, `slot-id`, `object`, `id`, and after the question mark `module-path`,
`pin-source` and `pin-value`. A PIN on a command line is seen by everybody on the machine: a file or
SEALMESH_PKCS11_PIN is better.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_to_bytes

from sealmesh.errors.client import TokenError

if TYPE_CHECKING:
    from sealmesh.client.token import TokenConfiguration
    from sealmesh.client.token.approval import TokenApprovalKey

PKCS11_SCHEME = "pkcs11:"
_PATH = frozenset({"token", "serial", "slot-id", "object", "id", "type"})
_QUERY = frozenset({"module-path", "pin-source", "pin-value"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUri:
    """What a URI names."""

    configuration: "TokenConfiguration"
    label: str | None
    key_id: bytes | None

    def approval_key(self) -> "TokenApprovalKey":
        """Return the key, for approvals.

        Raises:
            TokenError: It is not there.
        """
        from sealmesh.client.token import Place, Token
        from sealmesh.client.token.approval import TokenApprovalKey

        return TokenApprovalKey(Token(self.configuration), Place(key_id=self.key_id, label=self.label))


def parse_token_uri(uri: str, *, pin: str = "") -> TokenUri:
    """Read a URI.

    Args:
        uri: As above.
        pin: Where the URI has none; by default the environment's.

    Raises:
        TokenError: It is none, has unknown attributes, or names no library, token or key.
    """
    from sealmesh.client.token import TokenConfiguration
    from sealmesh.client.token.configuration import PIN_VARIABLE

    path, _, query = uri.removeprefix(PKCS11_SCHEME).partition("?")
    found = dict(_attributes(path, ";", _PATH))
    more = dict(_attributes(query, "&", _QUERY))
    if "module-path" not in more or not {"token", "serial", "slot-id"} & found.keys():
        raise TokenError(
            "the PKCS#11 URI names no library or no token",
            found=uri.partition("?")[0],
            wanted="pkcs11:token=NAME;object=NAME?module-path=FILE",
        )
    slot = unquote(found["slot-id"]) if "slot-id" in found else None
    if slot is not None and not slot.isdecimal():
        raise TokenError("slot-id is a number", found=slot)
    configuration = TokenConfiguration(
        library=Path(unquote(more["module-path"])),
        label=_text(found, "token"),
        serial=_text(found, "serial"),
        slot=None if slot is None else int(slot),
        pin=_pin(more) or pin or os.environ.get(PIN_VARIABLE, ""),
    )
    key_id = unquote_to_bytes(found["id"]) if "id" in found else None
    return TokenUri(configuration=configuration, label=_text(found, "object"), key_id=key_id)


def _attributes(text: str, separator: str, known: frozenset[str]) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for part in filter(None, text.split(separator)):
        name, equals, value = part.partition("=")
        if name not in known or name in seen or not equals:
            raise TokenError(
                "the PKCS#11 URI has an attribute that is not known, or one twice",
                found=name,
                wanted=", ".join(sorted(known)),
            )
        seen.add(name)
        yield name, value


def _text(found: dict[str, str], name: str) -> str | None:
    return unquote(found[name]) if name in found else None


def _pin(more: dict[str, str]) -> str:
    if "pin-value" in more:
        return unquote(more["pin-value"])
    if "pin-source" not in more:
        return ""
    path = Path(unquote(more["pin-source"]).removeprefix("file:"))
    try:
        return path.read_text().strip()
    except OSError as error:
        raise TokenError("the PIN cannot be read", found=f"{path}: {error.strerror}") from error
