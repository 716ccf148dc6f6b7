"""A refusal as the `ErrorDetail` message, and back."""

from collections.abc import Sequence

from sealmesh.errors import SealmeshError
from sealmesh.wire.enrolment_pb2 import ErrorDetail, Mismatch

# The detail travels in trailing metadata, of which clients take about 8 kB in all.
_MAX_TEXT = 400
_MAX_CLAIM = 130
"""The longest claim, 64 bytes of report data, is whole."""
_MAX_DETAIL = 4600


def encode_error(error: SealmeshError) -> bytes:
    """Return the serialized detail of `error`, with long texts cut."""
    detail = ErrorDetail(
        code=error.code,
        message=_cut(error.message),
        found=_cut(error.found),
        wanted=_cut(error.wanted),
        remedy=_cut(error.remedy),
    )
    _append(detail, tuple(getattr(error, "mismatches", ())))
    return detail.SerializeToString()


def _append(detail: ErrorDetail, mismatches: Sequence[object]) -> None:
    """Append all mismatches, or as many as there is room for and how many are left out."""
    for number, mismatch in enumerate(mismatches):
        parts = {
            name: _cut(getattr(mismatch, name, None), _MAX_CLAIM) for name in ("field", "found", "wanted")
        }
        one = Mismatch(**parts)
        if detail.ByteSize() + one.ByteSize() > _MAX_DETAIL:
            left = f"{len(mismatches) - number} more"
            detail.mismatches.append(Mismatch(field="...", found=left, wanted="see the Coordinator's log"))
            return
        detail.mismatches.append(one)


def _cut(text: object, longest: int = _MAX_TEXT) -> str:
    plain = "" if text is None else str(text)
    shorter = plain if len(plain) <= longest else plain[: longest - 1] + "…"
    return shorter.encode("utf-8", "replace").decode("utf-8")
