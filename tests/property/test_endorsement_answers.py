"""Whatever an endorsement server answers, or lies in the cache: our errors only."""

import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealmesh.adapters.endorser.cache_directory import CacheDirectory
from sealmesh.adapters.endorser.contents import contents_of
from sealmesh.adapters.endorser.fetching import Reply
from sealmesh.adapters.endorser.intel import IntelEndorser, IntelServer
from sealmesh.adapters.endorser.item import Item, read_certificates, read_crl
from sealmesh.adapters.endorser.item_cache import ItemCache
from sealmesh.attestation import Family, parse_collateral
from sealmesh.attestation.simulated import EndorsementPlan, create_vendor, issue_collateral
from sealmesh.attestation.simulated.endorsements import FMSPC
from sealmesh.errors.attestation import AttestationError

NOW = datetime(2031, 3, 1, 12, tzinfo=UTC)
VENDOR = create_vendor(now=NOW, entropy=os.urandom)
RAW = issue_collateral(VENDOR, EndorsementPlan(issued=NOW - timedelta(days=1)))
PARTS = parse_collateral(RAW)


class Nobody:
    """A server that is never asked here."""

    def get(self, url: str) -> Reply:
        raise AssertionError(url)


def items() -> dict[str, tuple[Item, Reply]]:
    """Return each item of Intel's with its genuine answer."""
    endorser = IntelEndorser(IntelServer(), ItemCache(Nobody()))
    tcb = b'{"tcbInfo":%b,"signature":"%b"}' % (PARTS.tcb_info, PARTS.tcb_info_signature.hex().encode())
    qe = b'{"enclaveIdentity":%b,"signature":"%b"}' % (
        PARTS.qe_identity,
        PARTS.qe_identity_signature.hex().encode(),
    )
    found = {
        "pck-crl": (endorser._pck_crl("platform"), PARTS.pck_crl, PARTS.pck_crl_issuer_chain),
        "tcb": (endorser._tcb_info(Family.SGX, FMSPC), tcb, PARTS.tcb_info_issuer_chain),
        "qe": (endorser._qe_identity(Family.SGX), qe, PARTS.qe_identity_issuer_chain),
        "root-crl": (endorser._root_crl(), PARTS.root_ca_crl, b""),
    }
    return {
        name: (item, Reply(body=body, headers=dict.fromkeys(item.headers, quote(chain.decode()))))
        for name, (item, body, chain) in found.items()
    }


ITEMS = items()


@pytest.mark.parametrize("name", ITEMS)
def test_the_genuine_answer_is_read(name: str) -> None:
    item, reply = ITEMS[name]
    assert item.read(reply).validity.contains(NOW)


@pytest.mark.parametrize("name", ITEMS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_changed_answer_is_read_or_refused(name: str, data: st.DataObject) -> None:
    item, reply = ITEMS[name]
    place = data.draw(st.integers(0, len(reply.body) - 1))
    piece = data.draw(st.binary(max_size=4))
    body = reply.body[:place] + piece + reply.body[place + data.draw(st.integers(0, 4)) :]
    read(item, Reply(body=body, headers=reply.headers))


@pytest.mark.parametrize("name", ITEMS)
@settings(max_examples=40, deadline=None)
@given(body=st.binary(max_size=200), chain=st.text(max_size=80))
def test_any_answer_is_read_or_refused(name: str, body: bytes, chain: str) -> None:
    item, _ = ITEMS[name]
    read(item, Reply(body=body, headers=dict.fromkeys(item.headers, chain)))


def read(item: Item, reply: Reply) -> None:
    for reader in (item.read, read_crl, read_certificates):
        with suppress(AttestationError):
            assert reader(reply).parts


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, len(RAW) - 1), piece=st.binary(max_size=4))
def test_any_collateral_is_shown_or_refused(place: int, piece: bytes) -> None:
    with suppress(AttestationError):
        assert contents_of(RAW[:place] + piece + RAW[place + 2 :])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=100)
    | st.sampled_from([b'{"headers":{},"body":"","fetched":1e99}', b"[" * 9999])
)
def test_any_file_in_the_cache_is_read_or_passed_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key.json").write_bytes(content)
    kept = CacheDirectory(tmp_path).read("key")
    assert kept is None or kept.reply.body == b""
