import base64
import json
from dataclasses import replace

import pytest

from sealmesh.attestation import INTEL
from sealmesh.client import parse_address, verify, verify_coordinator, verify_statement
from sealmesh.errors.attestation import AppraisalError, VerificationError
from sealmesh.errors.client import AddressError, AnswerError, ConnectionFailed, NotServed, PeerError
from sealmesh.errors.ledger import StatementError


def test_an_application_is_verified_by_one_call(far, serve, credentials, bench) -> None:
    with serve(far, credentials) as address:
        found = verify(address, policy=bench.policy())
    assert found.root == bench.authority.root_cert
    assert found.simulation is True
    assert len(found.nonce) == 32


def test_its_statement_verifies_again_offline(far, serve, credentials, bench) -> None:
    with serve(far, credentials) as address:
        found = verify(address, policy=bench.policy())
    again = verify_statement(found.document, bench.policy(), now=bench.now, nonce=None)
    assert again == found


def test_a_replayed_statement_is_refused(far, serve, credentials, bench) -> None:
    old = bench.statement()
    far.statement = lambda nonce: old
    with serve(far, credentials) as address, pytest.raises(StatementError) as refused:
        verify(address, policy=bench.policy())
    assert refused.value.code == "statement-replayed"


def test_a_genuine_statement_relayed_by_somebody_else_is_refused(
    far, serve, other_bench, marble, bench
) -> None:
    for stolen_face in (marble("cashier"), marble("cashier", of=other_bench)):
        with serve(far, stolen_face) as address, pytest.raises(PeerError):
            verify(address, policy=bench.policy())


def test_simulated_evidence_is_refused_without_a_policy_that_names_its_root(
    far, serve, credentials, bench
) -> None:
    with serve(far, credentials) as address, pytest.raises(VerificationError):
        verify(address, policy=bench.policy(trust_roots=(INTEL,)))


def test_a_foreign_coordinator_makes_no_statements(far, serve, credentials, bench) -> None:
    far.own_routes = False
    with serve(far, credentials) as address, pytest.raises(NotServed):
        verify(address, policy=bench.policy())


def test_an_operator_verifies_a_coordinator_before_it_has_a_manifest(far, serve, credentials, bench) -> None:
    with serve(far, credentials) as address:
        found = verify_coordinator(address, policy=bench.policy())
        with found.connect() as api, pytest.raises(NotServed):
            api.manifest()
    assert found.root == bench.authority.root_cert


def test_a_foreign_coordinator_is_verified_where_its_endorsements_are_given(
    far, serve, credentials, bench
) -> None:
    far.own_routes = False
    endorsements = bench.complete(bench.draft())
    with serve(far, credentials) as address:
        with pytest.raises(AnswerError) as refused:
            verify_coordinator(address, policy=bench.policy())
        collateral = base64.b64decode(json.loads(endorsements)["evidence"]["endorsements"])
        found = verify_coordinator(address, policy=bench.policy(), endorsements=collateral)
    assert refused.value.code == "coordinator-unattested"
    assert found.root == bench.authority.root_cert


def test_an_old_quote_is_refused(far, serve, credentials, bench) -> None:
    far.evidence_nonce = lambda nonce: b"an earlier nonce"
    with serve(far, credentials) as address, pytest.raises(AppraisalError) as refused:
        verify_coordinator(address, policy=bench.policy())
    assert [item.field for item in refused.value.mismatches] == ["ReportData"]


def test_a_relayed_quote_is_refused(far, serve, marble, bench) -> None:
    with serve(far, marble("cashier")) as address, pytest.raises(PeerError):
        verify_coordinator(address, policy=bench.policy())


def test_a_pinned_connection_does_not_follow_to_another_server(
    far, serve, credentials, marble, bench
) -> None:
    with serve(far, credentials) as address:
        found = verify_coordinator(address, policy=bench.policy())
    with serve(far, marble("cashier")) as elsewhere:
        moved = replace(found, address=parse_address(elsewhere))
        with moved.connect() as api, pytest.raises(PeerError):
            api.status()


def test_nobody_there_is_told_as_such(bench) -> None:
    with pytest.raises(ConnectionFailed):
        verify("127.0.0.1:1", policy=bench.policy())


@pytest.mark.parametrize(
    "address", ["", ":1", "a b:1", "host:", "host:0", "host:65536", "host:1/x", "[::1", "h:x"]
)
def test_what_is_no_address_is_refused(address: str, bench) -> None:
    with pytest.raises(AddressError):
        verify(address, policy=bench.policy())
