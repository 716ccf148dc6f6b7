"""What can come of a call besides its answer, whatever protocol it went over."""

from sealmesh.wire.enrolment_pb2 import ErrorDetail
from sealmesh.wire.status import Status


class CallRefused(Exception):
    """The server said no; `detail` is there if it is ours and told more."""

    def __init__(self, status: Status, text: str, detail: ErrorDetail | None) -> None:
        super().__init__(f"{status.name}: {text}")
        self.status, self.text, self.detail = status, text, detail


class NoSuchProtocol(Exception):
    """What answers does not speak the protocol."""


class HungUp(ConnectionError):
    """The connection ended before the answer."""
