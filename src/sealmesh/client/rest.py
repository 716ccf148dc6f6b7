"""Talking to a Coordinator's REST API: one connection, our types, our errors."""

import base64
import binascii
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx
from cryptography import x509

from sealmesh.client.address import Address
from sealmesh.errors.client import AnswerError, ConnectionFailed, NotServed
from sealmesh.pki.reading import UNREADABLE

#: A Coordinator answers in milliseconds; a quote on real hardware may take seconds.
TIMEOUT_SECONDS = 30.0
#: Statements are the largest answers; no honest one comes near.
MAX_ANSWER_BYTES = 64 * 1024 * 1024
V2 = "/api/v2"
OWN = "/api/sealmesh/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The Coordinator's phase: 0 uninitialized, 1 recovery, 2 accepting a manifest, 3 accepting Marbles."""

    code: int
    message: str
    relaxations: tuple[str, ...] = ()
    simulation: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SetManifest:
    """The manifest as it was set, and the hex SHA-256 that the Coordinator gives for it."""

    raw: bytes
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The Coordinator's certificates and its Evidence over the root; nothing of it is verified here."""

    chain: tuple[x509.Certificate, ...]
    chain_pem: str
    evidence: bytes | None
    endorsements: bytes | None


class CoordinatorApi:
    """A Coordinator's client API. Who answers is decided by the TLS context alone."""

    def __init__(self, address: Address, context: ssl.SSLContext) -> None:
        self._address = address
        self._http = httpx.Client(
            base_url=address.url,
            verify=context,
            trust_env=False,
            timeout=TIMEOUT_SECONDS,
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def status(self) -> Status:
        """Return the phase, and for a sealmesh Coordinator the relaxations in force."""
        try:
            members = self._data("GET", f"{OWN}/status")
        except NotServed:
            members = self._data("GET", f"{V2}/status")
        return Status(
            code=_member(members, "code", int),
            message=_member(members, "message", str),
            relaxations=tuple(str(item) for item in members.get("relaxations") or ()),
            simulation=bool(members.get("simulation", False)),
        )

    def manifest(self) -> SetManifest:
        """Return the manifest in force."""
        members = self._data("GET", f"{V2}/manifest")
        return SetManifest(
            raw=_bytes(members, "manifest"), fingerprint=_member(members, "manifestFingerprint", str)
        )

    def set_manifest(self, raw: bytes) -> Mapping[str, str]:
        """Set the first manifest; return the recovery secrets (base64) by the recovery keys' names."""
        body = {"manifest": base64.b64encode(raw).decode()}
        members = self._data("POST", f"{V2}/manifest", body)
        secrets = members.get("RecoverySecrets") or {}
        if not isinstance(secrets, dict):
            raise AnswerError("RecoverySecrets is not an object", found=type(secrets).__name__)
        return {str(name): str(value) for name, value in secrets.items()}

    def update_log(self) -> tuple[str, ...]:
        """Return the lines of the update log."""
        lines = self._data("GET", f"{V2}/update").get("updateLog") or []
        if not isinstance(lines, list):
            raise AnswerError("updateLog is not a list", found=type(lines).__name__)
        return tuple(str(line) for line in lines)

    def quote(self, nonce: bytes) -> Quote:
        """Return the certificates, the Evidence over SHA-256(root || nonce) and what Endorsements it has."""
        query = {"nonce": base64.urlsafe_b64encode(nonce).decode()}
        try:
            members = self._data("GET", f"{OWN}/quote", query=query)
        except NotServed:
            members = self._data("GET", f"{V2}/quote", query=query)
        pem = _member(members, "cert", str)
        try:
            chain = tuple(x509.load_pem_x509_certificates(pem.encode()))
        except UNREADABLE as error:
            raise AnswerError("the Coordinator's certificates cannot be read") from error
        evidence, endorsements = members.get("quote"), members.get("endorsements")
        return Quote(
            chain=chain,
            chain_pem=pem,
            evidence=_bytes(members, "quote") if evidence else None,
            endorsements=_bytes(members, "endorsements") if endorsements else None,
        )

    def statement(self, nonce: bytes) -> bytes:
        """Return the statement made for `nonce`, unverified."""
        query = {"nonce": base64.urlsafe_b64encode(nonce).decode()}
        return self._answer("GET", f"{OWN}/statement", None, query)

    def _data(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Mapping[str, Any]:
        try:
            answer = json.loads(self._answer(method, path, body, query))
            members = answer["data"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise AnswerError("the Coordinator's answer cannot be read", found=f"{method} {path}") from error
        if not isinstance(members, dict):
            raise AnswerError("the Coordinator's answer has no data", found=type(members).__name__)
        return members

    def _answer(
        self, method: str, path: str, body: Mapping[str, Any] | None, query: Mapping[str, str] | None
    ) -> bytes:
        try:
            with self._http.stream(method, path, json=body, params=query) as response:
                content = _read(response)
        except httpx.TransportError as error:
            raise ConnectionFailed(f"no answer from {self._address}", found=_reason(error)) from error
        if response.status_code in (404, 405) and _own_error(content) is None:
            raise NotServed("the Coordinator does not serve this", found=f"{response.status_code} for {path}")
        if response.status_code != 200:
            raise _refusal(response.status_code, content)
        return content


def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            raise AnswerError("the answer is too large", wanted=f"at most {MAX_ANSWER_BYTES} bytes")
    return bytes(content)


def _own_error(content: bytes) -> Mapping[str, Any] | None:
    """Return the error document of our own routes, if that is what the body is."""
    try:
        error = json.loads(content)["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return error if isinstance(error, dict) and "code" in error else None


def _refusal(status: int, content: bytes) -> AnswerError:
    own = _own_error(content)
    if own is not None:
        text = {name: str(own[name]) for name in ("code", "found", "wanted", "remedy") if own.get(name)}
        return AnswerError(str(own.get("message") or "refused"), **text)
    try:
        answer = json.loads(content)
        message = answer.get("message") or answer.get("data") or ""
    except (ValueError, AttributeError, RecursionError):
        message = content[:200].decode(errors="replace")
    return AnswerError(
        f"the Coordinator refused: {message}" if message else "the Coordinator refused",
        found=f"HTTP {status}",
    )


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _member(members: Mapping[str, Any], name: str, kind: type[Any]) -> Any:
    value = members.get(name)
    if not isinstance(value, kind):
        raise AnswerError(f"the answer's {name} has another type", found=type(value).__name__)
    return value


def _bytes(members: Mapping[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(_member(members, name, str), validate=True)
    except binascii.Error as error:
        raise AnswerError(f"the answer's {name} is not base64") from error
