import json

import pytest

from sealmesh.client import CoordinatorApi, parse_address, pinned_context
from sealmesh.errors.client import AnswerError, NotServed


def answering(routes: dict[str, tuple[int, object]]):
    def answer(path: str, query: dict[str, str]) -> tuple[int, bytes]:
        status, body = routes.get(path, (405, {"status": "error", "data": None}))
        return status, body if isinstance(body, bytes) else json.dumps(body).encode()

    return answer


@pytest.fixture
def api(serve, credentials, bench):
    from contextlib import contextmanager

    @contextmanager
    def connect(routes: dict[str, tuple[int, object]]):
        with (
            serve(answering(routes), credentials) as address,
            CoordinatorApi(parse_address(address), pinned_context(bench.authority.root_cert)) as found,
        ):
            yield found

    return connect


def ok(data: object) -> tuple[int, object]:
    return 200, {"status": "success", "data": data}


def test_status_of_a_foreign_coordinator_is_read(api) -> None:
    with api({"/api/v2/status": ok({"code": 2, "message": "waiting"})}) as coordinator:
        assert (coordinator.status().code, coordinator.status().relaxations) == (2, ())


def test_status_of_ours_names_relaxations_and_simulation(api) -> None:
    data = {"code": 3, "message": "running", "relaxations": ["lenient-manifest"], "simulation": True}
    with api({"/api/sealmesh/v1/status": ok(data)}) as coordinator:
        found = coordinator.status()
    assert (found.relaxations, found.simulation) == (("lenient-manifest",), True)


def test_setting_a_manifest_returns_the_recovery_secrets(api) -> None:
    with api({"/api/v2/manifest": ok({"RecoverySecrets": {"ada": "AAAA"}})}) as coordinator:
        assert coordinator.set_manifest(b"{}") == {"ada": bytes(3)}


def test_manifest_and_log_are_read(api) -> None:
    routes = {
        "/api/v2/manifest": ok({"manifest": "e30=", "manifestFingerprint": "ab"}),
        "/api/v2/update": ok({"updateLog": ["{}"]}),
    }
    with api(routes) as coordinator:
        assert coordinator.manifest().raw == b"{}"
        assert coordinator.update_log() == ("{}",)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {"status": "error", "data": None, "message": "no manifest"}),
        (400, {"status": "fail", "data": {"manifest": "bad"}}),
        (500, b"\xff not JSON"),
        (200, b"not JSON"),
        (200, b"[]"),
        (200, {"status": "success", "data": None}),
        (200, {"status": "success", "data": {"manifest": 5, "manifestFingerprint": "x"}}),
        (200, {"status": "success", "data": {"manifest": "*", "manifestFingerprint": "x"}}),
        (302, b""),
    ],
)
def test_an_odd_answer_is_our_error(api, status: int, body: object) -> None:
    with api({"/api/v2/manifest": (status, body)}) as coordinator, pytest.raises(AnswerError):
        coordinator.manifest()


def test_a_refusals_message_reaches_the_user(api) -> None:
    body = {"status": "fail", "data": None, "message": "the manifest is odd"}
    with api({"/api/v2/manifest": (400, body)}) as coordinator, pytest.raises(AnswerError, match="is odd"):
        coordinator.set_manifest(b"{}")


def test_a_route_that_is_not_there_is_told_as_such(api) -> None:
    with api({}) as coordinator, pytest.raises(NotServed):
        coordinator.statement(b"")
