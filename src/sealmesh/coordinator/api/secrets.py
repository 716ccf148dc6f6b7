"""The values of secrets, as users read and write them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretReply:
    """One secret as its readers see it; None is what was never set."""

    type: str
    size: int
    shared: bool
    user_defined: bool
    certificate: bytes | None
    valid_for: int
    private: bytes | None
    public: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretUpload:
    """A value for a user-defined secret; None where the field was empty, null or absent: Go cannot tell.

    So None as the `key` of a plain secret is the empty value. `certificate` is DER that parses.
    """

    certificate: bytes | None = None
    private: bytes | None = None
    key: bytes | None = None
