"""A refusal as the `ErrorDetail` message, and back."""

from sealmesh.errors import SealmeshError
from sealmesh.wire.enrolment_pb2 import ErrorDetail, Mismatch

# The detail travels in trailing metadata, of which clients take about 8 kB in all.
_MAX_TEXT = 400
_MAX_MISMATCHES = 4


def encode_error(error: SealmeshError) -> bytes:
    """Return the serialized detail of `error`, with long texts cut."""
    detail = ErrorDetail(
        code=error.code,
        message=_cut(error.message),
        found=_cut(error.found),
        wanted=_cut(error.wanted),
        remedy=_cut(error.remedy),
    )
    for mismatch in tuple(getattr(error, "mismatches", ()))[:_MAX_MISMATCHES]:
        parts = {name: _cut(getattr(mismatch, name, None)) for name in ("field", "found", "wanted")}
        detail.mismatches.append(Mismatch(**parts))
    return detail.SerializeToString()


def _cut(text: object) -> str:
    plain = "" if text is None else str(text)
    shorter = plain if len(plain) <= _MAX_TEXT else plain[: _MAX_TEXT - 1] + "…"
    return shorter.encode("utf-8", "replace").decode("utf-8")
