"""When a certificate is renewed, and what happens when it is not in time."""

import itertools
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from sealmesh.errors.marble import CoordinatorRefused, CoordinatorUnavailable, ParameterFileError
from sealmesh.ledger import RelyingPolicy, parse_policy
from sealmesh.marble import renewal as module
from sealmesh.marble.config import CoordinatorAddress
from sealmesh.marble.enrolment import Applicant
from sealmesh.marble.membership import Credentials, TlsRules
from sealmesh.marble.renewal import Renewal, longest_pause_seconds, pauses
from sealmesh.policy import UNRESTRICTED_MESH

NOW = datetime(2026, 1, 1, tzinfo=UTC)
POLICY: RelyingPolicy = parse_policy(b'{"Coordinator": {"UniqueID": "' + b"ab" * 32 + b'"}}')


def credentials(*, renew_in: float, ends_in: float) -> Credentials:
    return Credentials(
        certificate_chain_pem="",
        key_pem="",
        marble_root_pem="",
        coordinator_root=b"root",
        trust_domain="mesh",
        spiffe_id="spiffe://mesh/marble/shop/1",
        policy=UNRESTRICTED_MESH,
        tls=TlsRules(),
        not_after=NOW + timedelta(seconds=ends_in),
        renew_after=NOW + timedelta(seconds=renew_in),
        simulation=False,
    )


def applicant() -> Applicant:
    return Applicant(
        address=CoordinatorAddress("localhost", 1),
        attester=None,
        marble_type="shop",
        uuid=UUID(int=1),
        dns_names=(),
        clock=lambda: NOW,
    )


def test_pauses_double_up_to_the_longest_and_are_never_equal_for_all() -> None:
    taken = list(itertools.islice(pauses(), 20))
    for index, pause in enumerate(taken):
        longest = min(30.0, 0.5 * 2**index)
        assert longest / 2 <= pause <= longest
    assert len(set(taken)) > 10


@pytest.mark.parametrize(
    ("renew_in", "ends_in", "seconds"), [(43200, 86400, 30.0), (5, 10, 1.25), (5, 5.4, 0.5), (10, 5, 0.5)]
)
def test_several_attempts_fit_before_the_end(renew_in: float, ends_in: float, seconds: float) -> None:
    assert longest_pause_seconds(credentials(renew_in=renew_in, ends_in=ends_in)) == seconds


def run_until_adopted(
    monkeypatch: pytest.MonkeyPatch, current: Credentials, answers: list[object]
) -> tuple[list[str], Credentials]:
    """Let a Coordinator give `answers` one after the other; return which calls were made."""
    calls: list[str] = []
    adopted = threading.Event()
    got: list[Credentials] = []

    def answer(name: str):
        def call(*_: object) -> Credentials:
            calls.append(name)
            given = answers.pop(0)
            if isinstance(given, Exception):
                raise given
            assert isinstance(given, Credentials)
            return given

        return call

    def adopt(renewed: Credentials) -> None:
        got.append(renewed)
        adopted.set()

    monkeypatch.setattr(module, "renew", answer("renew"))
    monkeypatch.setattr(module, "rejoin", answer("rejoin"))
    monkeypatch.setattr(module, "FIRST_PAUSE_SECONDS", 0.01)
    renewal = Renewal(applicant(), current, POLICY, adopt)
    renewal.start()
    assert adopted.wait(20)
    renewal.stop()
    return calls, got[0]


def test_failures_are_tried_again_until_one_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    current = credentials(renew_in=-1, ends_in=0.04)
    following = credentials(renew_in=1000, ends_in=2000)
    answers: list[object] = [CoordinatorUnavailable("away"), CoordinatorRefused("odd"), following]
    calls, adopted = run_until_adopted(monkeypatch, current, answers)
    assert calls == ["renew", "renew", "renew"]
    assert adopted is following


def test_expired_marble_joins_again_because_it_has_nothing_to_renew_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    current = credentials(renew_in=-10, ends_in=-1)
    following = credentials(renew_in=1000, ends_in=2000)
    calls, _ = run_until_adopted(monkeypatch, current, [CoordinatorUnavailable("away"), following])
    assert calls == ["rejoin", "rejoin"]


def test_credentials_that_cannot_be_renewed_start_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = threading.active_count()
    endless = replace(credentials(renew_in=1, ends_in=2), renew_after=None)
    Renewal(applicant(), endless, POLICY, lambda _: None).start()
    assert threading.active_count() == before


def test_program_that_cannot_be_given_a_certificate_ends_no_renewals(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    done = threading.Event()

    def adopt(_: Credentials) -> None:
        given.append(1)
        if len(given) == 2:
            done.set()
        raise ParameterFileError("no such directory")

    monkeypatch.setattr(module, "renew", lambda *_: credentials(renew_in=-1, ends_in=10))
    renewal = Renewal(applicant(), credentials(renew_in=-1, ends_in=10), POLICY, adopt)
    renewal.start()
    assert done.wait(20)
    renewal.stop()
