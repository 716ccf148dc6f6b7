"""Replies of the Coordinator as messages of the mesh port."""

import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final, Protocol

from sealmesh.wire.enrolment_pb2 import ActivateResponse, ChallengeResponse, RenewResponse
from sealmesh.wire.marble_pb2 import ActivationResp

#: Intel's collateral has 15 kB, the lists of several vendors together some hundred.
MAX_ENDORSEMENTS: Final = 1024 * 1024


class Parameters(Protocol):
    """Files, environment and arguments of one Marble."""

    @property
    def files(self) -> Mapping[str, bytes]: ...
    @property
    def env(self) -> Mapping[str, bytes]: ...
    @property
    def argv(self) -> tuple[str, ...]: ...


class Credentials(Protocol):
    """A Marble's certificate and what goes with it."""

    @property
    def certificate_chain(self) -> tuple[bytes, ...]: ...
    @property
    def coordinator_chain(self) -> tuple[bytes, ...]: ...
    @property
    def marble_root(self) -> bytes: ...
    @property
    def access_policy(self) -> bytes: ...
    @property
    def ttls(self) -> bytes | None: ...
    @property
    def not_after(self) -> datetime: ...
    @property
    def renew_after(self) -> datetime: ...
    @property
    def trust_domain(self) -> str: ...
    @property
    def simulation(self) -> bool: ...
    @property
    def relaxations(self) -> tuple[str, ...]: ...


def endorsements_of(response: ActivateResponse) -> bytes:
    """Return the endorsements in `response`, in whichever field they came.

    Raises:
        ValueError: What was compressed is damaged, is followed by something or becomes longer than
            `MAX_ENDORSEMENTS`.
    """
    deflated = response.coordinator_endorsements_deflated
    if not deflated:
        return response.coordinator_endorsements
    stream = zlib.decompressobj()
    try:
        endorsements = stream.decompress(deflated, MAX_ENDORSEMENTS)
    except zlib.error as error:
        raise ValueError("the compressed endorsements are damaged") from error
    if not stream.eof or stream.unused_data:
        raise ValueError("the compressed endorsements are cut off, too long, or followed by something")
    return endorsements


@lru_cache(maxsize=4)  # the platform's, the same for every Marble
def _deflated(endorsements: bytes) -> bytes:
    return zlib.compress(endorsements, level=9)


def activation_response(parameters: Parameters) -> bytes:
    """Return MarbleRun's `ActivationResp`, serialized."""
    response = ActivationResp()
    _fill(response.Parameters.Files, parameters.files)
    _fill(response.Parameters.Env, parameters.env)
    response.Parameters.Argv.extend(_texts(parameters.argv))
    return response.SerializeToString()


def enrolment_response(
    parameters: Parameters, credentials: Credentials, *, evidence: bytes, endorsements: bytes, deflate: bool
) -> bytes:
    """Return our `ActivateResponse`, serialized; with `deflate` the endorsements are compressed."""
    response = ActivateResponse(coordinator_evidence=evidence)
    if deflate:
        response.coordinator_endorsements_deflated = _deflated(endorsements)
    else:
        response.coordinator_endorsements = endorsements
    _fill(response.files, parameters.files)
    _fill(response.env, parameters.env)
    response.argv.extend(_texts(parameters.argv))
    _credentials(response, credentials)
    return response.SerializeToString()


class Challenge(Protocol):
    """What a TPM is challenged with."""

    @property
    def credential_blob(self) -> bytes: ...
    @property
    def encrypted_secret(self) -> bytes: ...
    @property
    def token(self) -> bytes: ...


def challenge_response(challenge: Challenge | None) -> bytes:
    """Return our `ChallengeResponse`, serialized; empty where no challenge is needed."""
    if challenge is None:
        return ChallengeResponse().SerializeToString()
    return ChallengeResponse(
        credential_blob=challenge.credential_blob,
        encrypted_secret=challenge.encrypted_secret,
        token=challenge.token,
    ).SerializeToString()


def renewal_response(credentials: Credentials) -> bytes:
    """Return our `RenewResponse`, serialized."""
    response = RenewResponse()
    _credentials(response, credentials)
    return response.SerializeToString()


def _credentials(response: ActivateResponse | RenewResponse, credentials: Credentials) -> None:
    response.coordinator_chain.extend(credentials.coordinator_chain)
    response.certificate_chain.extend(credentials.certificate_chain)
    response.marble_root = credentials.marble_root
    response.access_policy = credentials.access_policy
    response.ttls = credentials.ttls or b""
    response.not_after_unix = int(credentials.not_after.timestamp())
    response.renew_after_unix = int(credentials.renew_after.timestamp())
    response.trust_domain = credentials.trust_domain
    response.simulation = credentials.simulation
    response.relaxations.extend(credentials.relaxations)


def _fill(target: object, entries: Mapping[str, bytes]) -> None:
    target.update(entries)  # type: ignore[attr-defined]  # a protobuf map


def _texts(values: Iterable[str]) -> list[str]:
    return list(values)
