"""Where an object is in a token: by its id, its label, or both."""

from dataclasses import dataclass

from sealmesh.errors.client import TokenError


@dataclass(frozen=True, slots=True)
class Place:
    """An id (bytes), a label, or both; at least one.

    Attributes:
        or_id: What the id may mean instead, if nothing has the first.

    Raises:
        TokenError: Neither is given.
    """

    key_id: bytes | None = None
    label: str | None = None
    or_id: bytes | None = None

    def __post_init__(self) -> None:
        if self.key_id is None and self.label is None:
            raise TokenError(
                "nothing says which key of the token",
                wanted="--pkcs11-key-id or --pkcs11-key-label",
                remedy="List what is there, for example with `pkcs11-tool --list-objects`.",
            )

    @classmethod
    def parse(cls, *, key_id: str | None, label: str | None) -> "Place | None":
        """Return the place that two options name, None if neither does.

        An id is hex (as tools print it), or the text's own bytes (as MarbleRun's client takes it): where both
        are possible hex is looked for first.
        """
        if key_id is None:
            return None if label is None else cls(label=label)
        as_text = key_id.encode()
        as_hex = _from_hex(key_id)
        return cls(as_text, label) if as_hex is None else cls(as_hex, label, or_id=as_text)

    def __str__(self) -> str:
        parts = (
            f"id {self.key_id.hex()}" if self.key_id is not None else "",
            f"label {self.label!r}" if self.label is not None else "",
        )
        return ", ".join(part for part in parts if part)


def _from_hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text.removeprefix("0x").replace(":", "")) or None
    except ValueError:
        return None
