"""One call of a route."""

from collections.abc import Mapping
from dataclasses import dataclass

from sealmesh.adapters.rest.target import Query
from sealmesh.coordinator.api import CoordinatorPort, PeerChain, SecretUpload
from sealmesh.errors.transport import QueryRefused
from sealmesh.wire.bodies import Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Who is asked, by whom, and with what."""

    coordinator: CoordinatorPort
    chain: PeerChain
    query: Query
    body: bytes


def secret_names(query: Query) -> tuple[str, ...]:
    """Return the secrets that `s` asks for.

    Raises:
        QueryRefused: There is none, or an empty one.
    """
    names = query.all("s")
    if not names or "" in names:
        raise QueryRefused("name at least one secret", found=names or None, wanted="?s=NAME&s=NAME")
    return names


def uploads(found: Mapping[str, Upload]) -> Mapping[str, SecretUpload]:
    """Return the wire's uploads as the Coordinator takes them."""
    return {
        name: SecretUpload(
            certificate=upload.certificate or None, private=upload.private or None, key=upload.key or None
        )
        for name, upload in found.items()
    }
