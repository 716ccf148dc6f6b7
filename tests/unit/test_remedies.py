"""Every error that a user or a Marble can be answered with says what to do about it."""

import json

import pytest

from sealmesh.errors import SealmeshError, coordinator, provisioning, transport
from sealmesh.errors.coordinator import PhaseError, UpdateRefused
from sealmesh.wire.refusals import DETAIL_HEADER, refuse_v1, refuse_v2

AREAS = (coordinator, provisioning, transport)
#: Roots that are never raised.
ROOTS = {"CoordinatorError", "ProvisioningError", "TransportError"}


def raised_in(area):
    return [
        found
        for found in vars(area).values()
        if isinstance(found, type)
        and issubclass(found, SealmeshError)
        and found.__module__ == area.__name__
        and found.__name__ not in ROOTS
    ]


CLASSES = [found for area in AREAS for found in raised_in(area)]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_it_has_a_code_and_a_remedy(kind):
    assert kind.code
    assert kind.remedy.endswith(".")
    assert len(kind.remedy.split()) >= 3


@pytest.mark.parametrize("refuse", [refuse_v1, refuse_v2])
def test_an_answer_of_marbleruns_routes_names_cause_and_remedy_and_beside_them_the_code(refuse):
    refusal = UpdateRefused("another update waits", code="update-pending", found="x")
    answer = refuse(refusal)
    for part in (b"another update waits", b"found x", refusal.remedy.encode()):
        assert part in answer.body
    assert json.loads(dict(answer.headers)[DETAIL_HEADER])["code"] == "update-pending"


def test_a_remedy_said_on_the_spot_wins():
    assert b"cannot. Wait for it." in refuse_v2(PhaseError("cannot", remedy="Wait for it.")).body
