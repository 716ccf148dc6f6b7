"""The Coordinator with a log line for every act and every refusal: who asked for what, and how it ended."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from sealmesh.adapters.log import logger
from sealmesh.coordinator.api import (
    ActivationReply,
    ActivationRequest,
    ApprovalReply,
    ChallengeReply,
    ChallengeRequest,
    Credentials,
    DrillReply,
    EnrolReply,
    EnrolRequest,
    OwnerShare,
    PeerChain,
    RecoverReply,
    RenewRequest,
    SecretReply,
    SecretUpload,
    SetManifestReply,
    UpdateReply,
)
from sealmesh.coordinator.coordinator import Coordinator
from sealmesh.errors import SealmeshError
from sealmesh.manifest import fingerprint

Reply = TypeVar("Reply")
#: A peer chooses these texts; no more of them is written.
_LONGEST = 128


class LoggedCoordinator(Coordinator):
    """Logs what changes something or lets somebody in. Reads that are open to all are not logged."""

    def set_manifest(self, raw: bytes, chain: PeerChain = ()) -> SetManifestReply:
        """See `CoordinatorPort.set_manifest`."""
        return _logged(
            "manifest set",
            lambda: super(LoggedCoordinator, self).set_manifest(raw, chain),
            manifest=_digest(raw),
        )

    def activate(self, request: ActivationRequest) -> ActivationReply:
        """See `CoordinatorPort.activate`."""
        return _logged(
            "marble activated",
            lambda: super(LoggedCoordinator, self).activate(request),
            marble=request.marble_type[:_LONGEST],
            uuid=request.uuid[:_LONGEST],
        )

    def challenge(self, request: ChallengeRequest) -> ChallengeReply | None:
        """See `CoordinatorPort.challenge`."""
        return _logged("challenge of a TPM", lambda: super(LoggedCoordinator, self).challenge(request))

    def enrol(self, request: EnrolRequest) -> EnrolReply:
        """See `CoordinatorPort.enrol`."""
        return _logged(
            "marble enrolled",
            lambda: super(LoggedCoordinator, self).enrol(request),
            marble=request.marble_type[:_LONGEST],
            uuid=request.uuid[:_LONGEST],
        )

    def renew(self, request: RenewRequest) -> Credentials:
        """See `CoordinatorPort.renew`."""
        return _logged("certificate renewed", lambda: super(LoggedCoordinator, self).renew(request))

    def get_secrets(self, names: tuple[str, ...], chain: PeerChain) -> Mapping[str, SecretReply]:
        """See `CoordinatorPort.get_secrets`."""
        return _logged(
            "values read",
            lambda: super(LoggedCoordinator, self).get_secrets(names, chain),
            names=_short(names),
        )

    def set_secrets(self, uploads: Mapping[str, SecretUpload], chain: PeerChain) -> None:
        """See `CoordinatorPort.set_secrets`."""
        _logged(
            "values uploaded",
            lambda: super(LoggedCoordinator, self).set_secrets(uploads, chain),
            names=_short(tuple(uploads)),
        )

    def update(self, raw: bytes, chain: PeerChain) -> UpdateReply:
        """See `CoordinatorPort.update`."""
        return _logged(
            "update", lambda: super(LoggedCoordinator, self).update(raw, chain), manifest=_digest(raw)
        )

    def acknowledge(self, raw: bytes, chain: PeerChain) -> UpdateReply:
        """See `CoordinatorPort.acknowledge`."""
        return _logged(
            "update acknowledged",
            lambda: super(LoggedCoordinator, self).acknowledge(raw, chain),
            manifest=_digest(raw),
        )

    def submit_approval(self, raw: bytes, chain: PeerChain) -> ApprovalReply:
        """See `CoordinatorPort.submit_approval`."""
        return _logged("approval", lambda: super(LoggedCoordinator, self).submit_approval(raw, chain))

    def cancel(self, chain: PeerChain) -> None:
        """See `CoordinatorPort.cancel`."""
        _logged("update cancelled", lambda: super(LoggedCoordinator, self).cancel(chain))

    def recover(self, secret: bytes, signature: bytes) -> RecoverReply:
        """See `CoordinatorPort.recover`."""
        reply = _logged("recovery", lambda: super(LoggedCoordinator, self).recover(secret, signature))
        logger().info("recovery secret taken", missing=reply.remaining)
        if reply.remark:
            logger().warning("the recovered state is not the newest", reason=reply.remark)
        return reply

    def drill(self, shares: Mapping[str, OwnerShare]) -> DrillReply:
        """See `CoordinatorPort.drill`."""
        return _logged("recovery drill", lambda: super(LoggedCoordinator, self).drill(shares))


def _logged(event: str, act: Callable[[], Reply], **fields: object) -> Reply:
    try:
        reply = act()
    except SealmeshError as error:
        logger().warning(
            f"refused: {event}", **fields, code=error.code, reason=error.message, found=error.found
        )
        raise
    logger().info(event, **fields)
    return reply


def _digest(raw: bytes) -> str:
    return fingerprint(raw)


def _short(names: tuple[str, ...]) -> list[str]:
    return [name[:_LONGEST] for name in names[:16]]
