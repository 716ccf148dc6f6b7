"""Bodies of the client port, by the JSON rules of Go that MarbleRun's clients rely on."""

from collections.abc import Callable

from fuzz.target import Target
from sealmesh.errors import SealmeshError
from sealmesh.wire import bodies

_READERS: tuple[Callable[[bytes], object], ...] = (
    bodies.parse_manifest_body,
    bodies.parse_recover_body,
    bodies.parse_drill_body,
    bodies.parse_quote_body,
    bodies.parse_counter_body,
    bodies.parse_approval_body,
    bodies.parse_uploads_v1,
    bodies.parse_uploads_v2,
)


def _read(raw: bytes) -> None:
    """Read the bytes as each kind of body; refuse when none takes them."""
    refusals: list[SealmeshError] = []
    for read in _READERS:
        try:
            read(raw)
        except SealmeshError as error:
            refusals.append(error)
    if len(refusals) == len(_READERS):
        raise refusals[0]


TARGET = Target(
    run=_read,
    seeds=lambda: {
        "manifest": b'{"manifest":"e30="}',
        "recover": b'{"recoverySecret":"AAECAw==","recoverySecretSignature":"BAUG"}',
        "quote": b'{"payload":"AAEC"}',
        "counter": b'{"name":"c","value":3}',
        "uploads v1": b'{"k":{"Key":"AAECAwQFBgcICQoLDA0ODw=="}}',
        "uploads v2": b'{"secrets":{"k":{"Key":[1,2,255]}}}',
    },
    words=(
        b'"Cert":',
        b'"Private":',
        b'"PRIVATE":',
        b'"\xe2\x84\xaaey":',
        b"\\ud800",
        b"18446744073709551616",
        b"null",
    ),
    longest=8192,
)
