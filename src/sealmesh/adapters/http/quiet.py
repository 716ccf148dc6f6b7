"""Keep `h2` and what it stands on from describing each frame and header field for a log that nobody reads.

They do so whether or not the log is on: `repr` of every frame, about sixty calls of `logging` for a
connection with one request. Measured: 15 % of what HTTP/2 costs in such a connection. There is no setting
for it, so what they call is replaced. It is for people only; no behaviour hangs on it.
"""

import hpack.hpack
import hpack.table
from hyperframe.frame import Frame


class _NoLog:
    """Takes what would be logged."""

    def debug(self, *_line: object) -> None: ...


def _brief(frame: Frame) -> str:
    return f"{type(frame).__name__}(stream_id={frame.stream_id})"


def keep_quiet() -> None:
    """Replace the descriptions, in the whole process. Another call changes nothing."""
    no_log = _NoLog()
    hpack.hpack.log = hpack.table.log = no_log  # type: ignore[assignment]
    Frame.__repr__ = _brief  # type: ignore[method-assign]
