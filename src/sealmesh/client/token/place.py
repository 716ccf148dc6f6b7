"""Where an object is in a token: by its id, its label, or both."""

from dataclasses import dataclass

from sealmesh.errors.client import TokenError


@dataclass(frozen=True, slots=True)
class Place:
    """An id (bytes), a label, or both; at least one.

    Raises:
        TokenError: Neither is given.
    """

    key_id: bytes | None = None
    label: str | None = None

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

        An id is hex where it can be read as such (as tools print it), otherwise the text's own bytes.
        """
        if key_id is None and label is None:
            return None
        return cls(key_id=None if key_id is None else _id_bytes(key_id), label=label)

    def __str__(self) -> str:
        parts = (
            f"id {self.key_id.hex()}" if self.key_id is not None else "",
            f"label {self.label!r}" if self.label is not None else "",
        )
        return ", ".join(part for part in parts if part)


def _id_bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x").replace(":", ""))
    except ValueError:
        return text.encode()
