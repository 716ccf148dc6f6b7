"""The methods of the mesh port: message in, message out, all that is refused as a `SealmeshError`."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from sealmesh.coordinator.api import (
    ActivationRequest,
    ChallengeAnswer,
    ChallengeRequest,
    CoordinatorPort,
    EnrolRequest,
    PeerChain,
    RenewRequest,
)
from sealmesh.errors.transport import BodyRefused, PeerWithoutCertificate
from sealmesh.wire import methods
from sealmesh.wire.enrolment import (
    activation_response,
    challenge_response,
    enrolment_response,
    renewal_response,
)
from sealmesh.wire.enrolment_pb2 import ActivateRequest
from sealmesh.wire.enrolment_pb2 import ChallengeRequest as ChallengeMessage
from sealmesh.wire.enrolment_pb2 import RenewRequest as RenewMessage
from sealmesh.wire.marble_pb2 import ActivationReq

M = TypeVar("M", bound=Message)

#: Gets the message and the certificates of the connection; may block on the disk.
Method = Callable[[bytes, PeerChain], bytes]


def methods_of(coordinator: CoordinatorPort) -> Mapping[str, Method]:
    """Return the methods by their paths."""
    return MappingProxyType(
        {
            methods.ACTIVATE: lambda message, chain: _activate(coordinator, message, chain),
            methods.CHALLENGE: lambda message, chain: _challenge(coordinator, message, chain),
            methods.ENROL: lambda message, chain: _enrol(coordinator, message, chain),
            methods.RENEW: lambda message, chain: _renew(coordinator, message, chain),
        }
    )


def _activate(coordinator: CoordinatorPort, message: bytes, chain: PeerChain) -> bytes:
    wanted = _parse(ActivationReq, message)
    reply = coordinator.activate(
        ActivationRequest(
            evidence=wanted.Quote,
            csr=wanted.CSR,
            marble_type=wanted.MarbleType,
            uuid=wanted.UUID,
            client_cert=_leaf(chain),
        )
    )
    return activation_response(reply.parameters)


def _challenge(coordinator: CoordinatorPort, message: bytes, chain: PeerChain) -> bytes:
    wanted = _parse(ChallengeMessage, message)
    return challenge_response(
        coordinator.challenge(ChallengeRequest(evidence=wanted.evidence, client_cert=_leaf(chain)))
    )


def _enrol(coordinator: CoordinatorPort, message: bytes, chain: PeerChain) -> bytes:
    wanted = _parse(ActivateRequest, message)
    reply = coordinator.enrol(
        EnrolRequest(
            evidence=wanted.evidence,
            csr=wanted.csr,
            marble_type=wanted.marble_type,
            uuid=wanted.uuid,
            client_cert=_leaf(chain),
            coordinator_nonce=wanted.coordinator_nonce,
            answer=_answer(wanted),
        )
    )
    return enrolment_response(
        reply.parameters,
        reply.credentials,
        evidence=reply.coordinator_evidence,
        endorsements=reply.coordinator_endorsements,
        deflate=wanted.inflates,
    )


def _renew(coordinator: CoordinatorPort, message: bytes, chain: PeerChain) -> bytes:
    wanted = _parse(RenewMessage, message)
    _leaf(chain)
    return renewal_response(
        coordinator.renew(
            RenewRequest(evidence=wanted.evidence, csr=wanted.csr, client_chain=chain, answer=_answer(wanted))
        )
    )


def _answer(message: ActivateRequest | RenewMessage) -> ChallengeAnswer | None:
    if not message.HasField("answer"):
        return None
    return ChallengeAnswer(token=message.answer.token, secret=message.answer.secret)


def _parse(kind: type[M], message: bytes) -> M:
    try:
        return kind.FromString(message)
    except DecodeError as error:
        raise BodyRefused("the message is not a protobuf of its type", wanted=kind.__name__) from error


def _leaf(chain: PeerChain) -> bytes:
    if not chain:
        raise PeerWithoutCertificate("this connection shows no client certificate")
    return chain[0]
