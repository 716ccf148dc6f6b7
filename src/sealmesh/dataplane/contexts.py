"""The TLS contexts of one configuration: who we are, whom we believe, who may pass.

Invariants: TLS 1.3 only, no session tickets (a resumed session would carry the old certificate past a
rotation), and no byte of application data before `do_handshake` has returned, which is after the peer was
judged. pump, asyncio and uvloop all come through `JudgingObject.do_handshake`.
"""

import os
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

from sealmesh.dataplane.configuration import Configuration, IncomingRule
from sealmesh.dataplane.identity import PeerIdentity, identify
from sealmesh.dataplane.original import wall_clock
from sealmesh.errors import SealmeshError
from sealmesh.policy import UNAUTHENTICATED, UNRESTRICTED_MESH, Caller, decide, may_call

#: Raises `PeerRefused` where the peer may not pass; None stands for a caller that showed no certificate.
Judge = Callable[[PeerIdentity | None], None]


class PeerRefused(ssl.SSLCertVerificationError):
    """The handshake stands, the peer is known, and it may not pass."""

    def __init__(self, explanation: str) -> None:
        super().__init__(1, explanation)
        self.explanation = explanation

    def __str__(self) -> str:
        return self.explanation


class JudgingObject(ssl.SSLObject):
    """TLS over memory buffers whose handshake ends with the verdict on the peer."""

    peer: PeerIdentity | None = None
    #: Hears why the handshake failed, where it is not the pump that drives it.
    report: Callable[[str], None] | None = None

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
            self._judge()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            if self.report is not None:
                self.report(why_failed(error))
            raise

    def _judge(self) -> None:
        context = cast("JudgingContext", self.context)
        context.check_valid()
        self.peer = context.identify_peer(self)
        context.judge(self.peer)


def why_failed(error: ssl.SSLError) -> str:
    """Return what a failed handshake is called in the agent's log."""
    return error.explanation if isinstance(error, PeerRefused) else f"TLS failed: {error.reason or error}"


class JudgingContext(ssl.SSLContext):
    """A context that knows whom it lets through."""

    sslobject_class = JudgingObject
    judge: Judge
    trust_domain: str
    not_after: int

    def check_valid(self) -> None:
        """Refuse whoever is there once our own certificate has expired; peers may not look.

        Raises:
            PeerRefused: It has.
        """
        if wall_clock() >= self.not_after:
            ended = datetime.fromtimestamp(self.not_after, UTC).isoformat()
            raise PeerRefused(f"this Marble's own certificate expired at {ended} and was not renewed")

    def identify_peer(self, connection: ssl.SSLObject) -> PeerIdentity | None:
        """Return the Marble behind a finished handshake; None where no certificate was asked for, or shown.

        Raises:
            PeerRefused: The certificate names no Marble of this mesh.
        """
        if self.verify_mode == ssl.CERT_NONE:
            return None
        names: dict[str, Any] = cast("dict[str, Any]", connection.getpeercert() or {})
        certificate = connection.getpeercert(binary_form=True)
        if certificate is None:
            return None  # `CERT_OPTIONAL`; with `CERT_REQUIRED` the handshake does not get here
        try:
            return identify(names.get("subjectAltName", ()), certificate, trust_domain=self.trust_domain)
        except SealmeshError as error:
            raise PeerRefused(str(error)) from error


class FollowingContext(ssl.SSLContext):
    """Stands for whatever context counts now, for servers that keep the one they were started with."""

    current: Callable[[], ssl.SSLContext]
    report: Callable[[str], None]

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        connection = self.current().wrap_bio(*args, **kwargs)
        if isinstance(connection, JudgingObject):
            connection.report = self.report
        return connection


class Contexts:
    """Builds and keeps the contexts of one configuration."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._incoming: dict[IncomingRule, JudgingContext] = {}
        self._outgoing: JudgingContext | None = None

    def incoming(self, rule: IncomingRule) -> JudgingContext:
        """Return the context for accepting on `rule.port`."""
        context = self._incoming.get(rule)
        if context is None:
            context = self._incoming[rule] = self._server(rule, _CallerJudge(self._configuration, rule))
        return context

    def outgoing(self) -> JudgingContext:
        """Return the context for connecting to a Marble."""
        if self._outgoing is None:
            self._outgoing = self._client(_CalleeJudge(self._configuration))
        return self._outgoing

    def own(self, *, server: bool) -> JudgingContext:
        """Return a context that lets through nobody but ourselves, for the proof at the start."""
        judge = _OwnJudge(self._configuration.spiffe_id)
        return self._server(IncomingRule(port=1), judge) if server else self._client(judge)

    def _server(self, rule: IncomingRule, judge: Judge) -> JudgingContext:
        context = self._new(ssl.PROTOCOL_TLS_SERVER, judge)
        context.num_tickets = 0
        context.verify_mode = self._client_certificate(rule)
        if rule.client_auth or rule.certificate is None or rule.key is None:
            self._load_own(context)
        else:
            load_certificate(context, rule.certificate, rule.key)
        return context

    def _client_certificate(self, rule: IncomingRule) -> ssl.VerifyMode:
        """Ask for none, require one, or take one if shown: where the policy lets in anyone on this port."""
        if not rule.client_auth:
            return ssl.CERT_NONE
        policy, marble_type = self._configuration.policy, self._configuration.marble_type
        anyone = decide(policy, caller=UNAUTHENTICATED, callee_type=marble_type, port=rule.port)
        return ssl.CERT_OPTIONAL if anyone.allowed else ssl.CERT_REQUIRED

    def _client(self, judge: Judge) -> JudgingContext:
        context = self._new(ssl.PROTOCOL_TLS_CLIENT, judge)
        context.check_hostname = False  # the Marble type counts, not the name the program dialled
        context.verify_mode = ssl.CERT_REQUIRED
        self._load_own(context)
        return context

    def _new(self, protocol: ssl._SSLMethod, judge: Judge) -> JudgingContext:
        context = JudgingContext(protocol)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        # Set by Python before 3.11.3 (and by some distributions): a cut connection would look like an end.
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        context.load_verify_locations(cadata=self._configuration.marble_root)
        context.judge = judge
        context.trust_domain = self._configuration.trust_domain
        context.not_after = self._configuration.not_after
        return context

    def _load_own(self, context: ssl.SSLContext) -> None:
        load_certificate(context, self._configuration.certificate_chain, self._configuration.key)


def load_certificate(context: ssl.SSLContext, chain: str, key: str) -> None:
    """Give `context` a certificate and its key without a file: `ssl` reads only paths.

    The key goes through anonymous memory (`memfd_create`), never through a file system.

    Raises:
        ssl.SSLError: They do not fit together, or are not PEM.
    """
    descriptor = os.memfd_create("", os.MFD_CLOEXEC)
    try:
        pending = memoryview(f"{chain.strip()}\n{key.strip()}\n".encode())
        while pending:
            pending = pending[os.write(descriptor, pending) :]
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


class _CallerJudge:
    """The accepting side: may this caller use this port?"""

    def __init__(self, configuration: Configuration, rule: IncomingRule) -> None:
        self._configuration = configuration
        self._rule = rule

    def __call__(self, peer: PeerIdentity | None) -> None:
        policy = self._configuration.policy
        if peer is None and policy == UNRESTRICTED_MESH:
            return  # no `Access` in the manifest: `DisableClientAuth` alone opens the port, as in MarbleRun
        caller = UNAUTHENTICATED if peer is None else Caller(peer.marble_type)
        decision = decide(
            policy, caller=caller, callee_type=self._configuration.marble_type, port=self._rule.port
        )
        if not decision.allowed:
            raise PeerRefused(decision.explanation)


class _CalleeJudge:
    """The dialling side: may we call this Marble at all?"""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration

    def __call__(self, peer: PeerIdentity | None) -> None:
        callee = peer.marble_type if peer is not None else ""
        decision = may_call(self._configuration.policy, self._configuration.marble_type, callee)
        if peer is None or not decision.allowed:
            raise PeerRefused(decision.explanation)


class _OwnJudge:
    def __init__(self, spiffe_id: str) -> None:
        self._spiffe_id = spiffe_id

    def __call__(self, peer: PeerIdentity | None) -> None:
        if peer is None or peer.spiffe_id != self._spiffe_id:
            raise PeerRefused(f"The wrap did not meet itself: wanted {self._spiffe_id}")
