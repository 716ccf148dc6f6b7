"""What a Marble is told instead of an answer, before it has verified who says so."""

from fuzz.target import Target
from sealmesh.errors import SealmeshError
from sealmesh.errors.coordinator import EvidenceRefused
from sealmesh.wire.connect import encode_refusal, parse_refusal
from sealmesh.wire.error_detail import encode_error
from sealmesh.wire.status import Status


def _read(body: bytes) -> None:
    try:
        refusal = parse_refusal(body)
    except ValueError as error:
        raise SealmeshError("no refusal", found=str(error)) from error
    assert refusal.status is not Status.OK
    detail = None if refusal.detail is None else refusal.detail.SerializeToString()
    again = parse_refusal(encode_refusal(refusal.status, refusal.text, detail))
    assert (again.status, again.text) == (refusal.status, refusal.text)


TARGET = Target(
    run=_read,
    seeds=lambda: {
        "bare": encode_refusal(Status.INTERNAL, "internal error", None),
        "detailed": encode_refusal(
            Status.PERMISSION_DENIED,
            "refused",
            encode_error(EvidenceRefused("refused", found="a", wanted="b")),
        ),
    },
    words=(b'"code"', b'"message"', b'"details"', b'"type"', b'"value"', b"sealmesh.mesh.v1.ErrorDetail"),
)
