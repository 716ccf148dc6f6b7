"""Messages of the mesh port, up to the Coordinator's door."""

from collections.abc import Callable

from fuzz.target import Target
from sealmesh.adapters.rpc.services import methods_of
from sealmesh.errors import SealmeshError
from sealmesh.errors.coordinator import PhaseError
from sealmesh.wire import methods
from sealmesh.wire.enrolment_pb2 import ActivateRequest, ChallengeAnswer
from sealmesh.wire.marble_pb2 import ActivationReq


class _Closed:
    """A Coordinator that refuses whoever gets as far as asking it."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        def refuse(*_: object) -> None:
            raise PhaseError(name)

        return refuse


_METHODS = methods_of(_Closed())  # type: ignore[arg-type]


def _call(message: bytes) -> None:
    """Call each method; being asked is how far a good message gets."""
    reached = False
    for path in (methods.ACTIVATE, methods.CHALLENGE, methods.ENROL, methods.RENEW):
        try:
            _METHODS[path](message, (b"der",))
        except PhaseError:
            reached = True
        except SealmeshError as error:
            refusal = error
    if not reached:
        raise refusal


TARGET = Target(
    run=_call,
    seeds=lambda: {
        "legacy": ActivationReq(
            MarbleType="m", Quote=b"q", CSR=b"c", UUID="00000000-0000-4000-8000-000000000000"
        ).SerializeToString(),
        "own": ActivateRequest(
            evidence=b"e", csr=b"c", marble_type="m", uuid="u", coordinator_nonce=bytes(32)
        ).SerializeToString(),
        "answered": ActivateRequest(
            evidence=b"e", answer=ChallengeAnswer(token=b"t", secret=b"s")
        ).SerializeToString(),
    },
    longest=2048,
)
