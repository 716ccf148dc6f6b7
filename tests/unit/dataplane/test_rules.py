"""Which rule covers an address."""

import time
from typing import Any

import pytest

from sealmesh.dataplane.address import Resolver
from sealmesh.dataplane.configuration import Configuration, Exposure, IncomingRule, Options, OutgoingRule
from sealmesh.dataplane.rules import Rules
from sealmesh.policy import UNRESTRICTED_MESH


def rules(options: Options | None = None, lookup: Any = None) -> Rules:
    configuration = Configuration(
        trust_domain="mesh",
        spiffe_id="",
        marble_type="shop",
        certificate_chain="",
        key="",
        marble_root="",
        incoming=(IncomingRule(port=8443),),
        outgoing=(
            OutgoingRule(host="stock", port=8443),
            OutgoingRule(host="10.0.0.1", port=1),
            OutgoingRule(host="::1", port=2),
        ),
        policy=UNRESTRICTED_MESH,
        options=options or Options(),
        not_after=int(time.time()) + 60,
    )
    return Rules(configuration, Resolver(lookup or (lambda *_: [(0, 0, 0, "", ("10.9.9.9", 0))])))


@pytest.mark.parametrize(
    ("host", "port", "covered"),
    [
        ("stock", 8443, True),
        ("STOCK", 8443, True),
        ("10.9.9.9", 8443, True),  # what the name stands for
        ("::ffff:10.9.9.9", 8443, True),
        ("stock", 8444, False),
        ("stocks", 8443, False),
        ("10.9.9.8", 8443, False),
        ("10.0.0.1", 1, True),
        ("::ffff:10.0.0.1", 1, True),
        ("10.0.0.1", 2, False),
        ("::1", 2, True),
        ("::", 2, True),  # Linux connects to loopback
        ("0.0.0.0", 2, False),
        ("", 2, False),
    ],
)
def test_outgoing(host: str, port: int, covered: bool) -> None:
    assert (rules().outgoing(host, port) is not None) == covered


def test_name_that_does_not_resolve_covers_nothing() -> None:
    def fail(*_: object) -> Any:
        raise OSError("no such name")

    assert rules(lookup=fail).outgoing("10.9.9.9", 8443) is None


def test_resolver_remembers_and_survives_a_failure() -> None:
    answers: list[Any] = [[(0, 0, 0, "", ("10.1.1.1", 0))], OSError("down")]

    def lookup(*_: object) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    resolver = Resolver(lookup)
    first = resolver.addresses("stock")
    assert resolver.addresses("stock") == first
    assert len(answers) == 1, "the second time it must not have asked"
    resolver._known["stock"] = (0.0, first)
    assert resolver.addresses("stock") == first, "a name server that is away changes nothing"


@pytest.mark.parametrize(
    ("exposure", "loopback", "outside"),
    [(Exposure.REFUSE, False, False), (Exposure.LOOPBACK, True, False), (Exposure.PASS, True, True)],
)
def test_exposure(exposure: Exposure, loopback: bool, outside: bool) -> None:
    judged = rules(Options(egress=exposure, ingress=exposure))
    for judge in (judged.egress_is_open, judged.ingress_is_open):
        assert judge("127.0.0.1") == loopback
        assert judge("10.0.0.1") == outside
        assert judge("localhost") == outside, "a name may stand for anything"
    assert judged.ingress_is_open("0.0.0.0") == outside
    assert judged.everything_passes == (exposure is Exposure.PASS)


def test_refusals_name_the_entry_that_would_allow_it() -> None:
    assert '{"Addr": "10.0.0.2", "Port": "5"}' in rules().why_not_outgoing("10.0.0.2", 5)
    assert '{"Port": "5"}' in rules().why_not_incoming(5)
    assert "'shop'" in rules().why_not_incoming(5)
