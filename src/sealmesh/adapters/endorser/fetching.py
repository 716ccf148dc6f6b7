"""One GET from an endorsement server: over TLS, in bounded time, of bounded size."""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from sealmesh.errors.attestation import EndorserError, EndorserUnreachable

if TYPE_CHECKING:  # loaded when a server is asked: most Coordinators ask none
    import httpx

MAX_BODY_BYTES: Final = 2 * 1024 * 1024
"""The longest there is, a revocation list, has some hundreds of kB."""
CONNECT_SECONDS: Final = 3.0
TOTAL_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a server answered.

    Attributes:
        body: As it came.
        headers: By name in lower case.
    """

    body: bytes
    headers: Mapping[str, str]


class Fetching(Protocol):
    """Gets what is at an address; tests count with it."""

    def get(self, url: str) -> Reply:
        """Return the answer with status 200.

        Raises:
            EndorserUnreachable: No answer, or one that says nothing about what was asked for.
            EndorserError: The server does not know what was asked for.
        """
        ...


class HttpsFetching:
    """GET over HTTPS. Redirects are not followed; threads may share one.

    Args:
        ca: PEM of the CAs that may vouch for the server; None: those of the operating system.

    Raises:
        EndorserError: `ca` cannot be read.
    """

    def __init__(self, ca: Path | None = None) -> None:
        try:
            self._tls = ssl.create_default_context(cafile=None if ca is None else str(ca))
        except (OSError, ssl.SSLError) as error:
            raise EndorserError(
                "the CA of the endorsement server cannot be read",
                found=f"{ca}: {error}",
                wanted="certificates in PEM",
                remedy="Correct `ca=` in --endorser (SEALMESH_ENDORSER).",
            ) from error
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2

    def get(self, url: str) -> Reply:
        """Return the answer with status 200."""
        deadline = time.monotonic() + TOTAL_SECONDS
        import httpx

        timeout = httpx.Timeout(TOTAL_SECONDS / 2, connect=CONNECT_SECONDS)
        try:
            with (
                httpx.Client(verify=self._tls, timeout=timeout) as client,
                client.stream("GET", url, headers={"accept": "*/*"}) as response,
            ):
                _check_status(url, response.status_code)
                body = _read(url, response, deadline)
                return Reply(body=body, headers={k.lower(): v for k, v in response.headers.items()})
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise EndorserUnreachable(url, found=f"{type(error).__name__}: {error}") from error


def _check_status(url: str, status: int) -> None:
    if status in (400, 404):
        raise EndorserError(
            f"the endorsement server does not know {url}",
            found=f"status {status}",
            wanted="status 200",
            remedy="Look whether the platform is genuine, and registered with this server.",
        )
    if status != 200:
        raise EndorserUnreachable(url, found=f"status {status}")


def _read(url: str, response: "httpx.Response", deadline: float) -> bytes:
    body = bytearray()
    for chunk in response.iter_bytes(64 * 1024):
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise EndorserUnreachable(url, found=f"more than {MAX_BODY_BYTES} bytes")
        if time.monotonic() > deadline:
            raise EndorserUnreachable(url, found=f"no end after {TOTAL_SECONDS:.0f} seconds")
    return bytes(body)
