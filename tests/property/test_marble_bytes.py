"""What Coordinators, files and settings may hand to a Marble: our error or a value, for any bytes."""

import json
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import example, given
from hypothesis import strategies as st

from sealmesh.errors import SealmeshError
from sealmesh.errors.marble import CoordinatorRefused, MarbleConfigurationError, ParameterFileError
from sealmesh.ledger import RelyingPolicy, parse_policy
from sealmesh.marble.config import SETTINGS, read_configuration
from sealmesh.marble.credentials import MarbleKey
from sealmesh.marble.dataplane_section import DataplaneSection
from sealmesh.marble.enrolment import _legacy_credentials
from sealmesh.marble.membership import Parameters
from sealmesh.marble.parameter_files import write_files
from sealmesh.marble.tls_documents import parse_marblerun, parse_own
from sealmesh.marble.uuid_file import read_or_create
from sealmesh.marble.verification import Received, Wanted, verify_certificates, verify_coordinator_evidence
from sealmesh.provisioning.rendering import (
    CHAIN_VARIABLE,
    COORDINATOR_ROOT_VARIABLE,
    KEY_VARIABLE,
    ROOT_VARIABLE,
    TTLS_VARIABLE,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
_KEY = MarbleKey.generate(256)
KEY = ec.generate_private_key(ec.SECP256R1()).public_key()
POLICY: RelyingPolicy = parse_policy(
    json.dumps({"Coordinator": {"SignerID": "ab" * 32, "ProductID": 1, "SecurityVersion": 1}}).encode()
)
DEEP = b"[" * 2_000
LONG = b"1" * 5_000

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
OWN = {
    "incoming": [{"port": 8443, "client_auth": True, "certificate": None, "key": None}],
    "outgoing": [{"host": "stock", "port": 1}],
}
MARBLERUN = {
    "tls": {
        "Incoming": {"*:8443": {"cacrt": "r", "clicrt": "c", "clikey": "k", "clientAuth": False}},
        "Outgoing": {"stock:1": {"cacrt": "r", "clicrt": "c", "clikey": "k"}},
    }
}


def _places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all values in a JSON document."""
    inner: Any = ()
    if isinstance(document, dict | list):
        inner = document.items() if isinstance(document, dict) else enumerate(document)
    return [path, *(place for key, value in inner for place in _places(value, (*path, key)))]


def _changed(document: Any, place: tuple[Any, ...], value: Any) -> bytes:
    changed = json.loads(json.dumps(document))
    inner = changed
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return json.dumps(changed).encode()


@given(st.binary(max_size=100) | values.map(lambda value: json.dumps(value).encode()))
@example(DEEP)
@example(LONG)
def test_any_tls_document_is_rules_or_refused(raw: bytes) -> None:
    for parse in (parse_own, parse_marblerun):
        with suppress(SealmeshError):
            parse(raw)


@given(st.sampled_from(_places(OWN)[1:]), values)
def test_own_tls_document_with_one_place_changed(place: tuple[Any, ...], value: Any) -> None:
    with suppress(SealmeshError):
        rules = parse_own(_changed(OWN, place, value))
        assert all(1 <= rule.port <= 65535 for rule in (*rules.incoming, *rules.outgoing))


@given(st.sampled_from(_places(MARBLERUN)[1:]), values)
def test_document_of_marblerun_with_one_place_changed(place: tuple[Any, ...], value: Any) -> None:
    with suppress(CoordinatorRefused):
        rules = parse_marblerun(_changed(MARBLERUN, place, value))
        assert all(1 <= rule.port <= 65535 for rule in (*rules.incoming, *rules.outgoing))


@given(st.text(max_size=20))
@example("*:99999999999999999999")
@example("*:-1")
@example("*:0")
@example("*:٣")
@example("no port")
def test_place_in_the_document_of_marblerun_is_a_port_or_refused(place: str) -> None:
    entry = {"cacrt": "r", "clicrt": "c", "clikey": "k", "clientAuth": True}
    for tls in ({"Incoming": {place: entry}, "Outgoing": {}}, {"Incoming": {}, "Outgoing": {place: entry}}):
        with suppress(CoordinatorRefused):
            rules = parse_marblerun(json.dumps({"tls": tls}).encode())
            assert all(1 <= rule.port <= 65535 for rule in (*rules.incoming, *rules.outgoing))


@given(st.binary(max_size=60) | values.map(lambda value: json.dumps(value).encode()))
@example(DEEP)
@example(LONG)
@example(b'{"egress": "loopback"}')
def test_any_dataplane_section_of_a_package_is_options_or_refused(raw: bytes) -> None:
    with suppress(SealmeshError):
        DataplaneSection.parse(raw)


@given(st.dictionaries(st.sampled_from([v for s in SETTINGS for v in s.variables]), st.text(max_size=12)))
@example({"SEALMESH_WAIT_SECONDS": "nan", "EDG_MARBLE_TYPE": "x"})
@example({"EDG_MARBLE_COORDINATOR_ADDR": "[::1", "EDG_MARBLE_TYPE": "x"})
@example({"EDG_MARBLE_DNS_NAMES": "\u00fc", "EDG_MARBLE_TYPE": "x"})
@example({"SEALMESH_LOG_FORMAT": "xml", "EDG_MARBLE_TYPE": "x"})
def test_any_environment_is_a_configuration_or_refused(environment: dict[str, str]) -> None:
    with suppress(MarbleConfigurationError):
        config = read_configuration((), {"type": "x", "attester": "simulated"}, environment)
        assert 0 < config.coordinator.port < 65536
        assert config.wait_seconds >= 0
        _KEY.request(config.dns_names)


blobs = st.binary(max_size=80)


@given(st.lists(blobs, max_size=3), st.lists(blobs, max_size=3), blobs, blobs)
def test_any_certificates_of_a_coordinator_are_refused(
    chain: list[bytes], leaf: list[bytes], marble_root: bytes, server: bytes
) -> None:
    received = Received(
        coordinator_chain=chain, certificate_chain=leaf, marble_root=marble_root, server_certificate=server
    )
    wanted = Wanted(public_key=KEY, marble_type="shop", uuid=uuid.UUID(int=1), now=NOW)
    with pytest.raises(CoordinatorRefused):
        verify_certificates(received, wanted)


@given(blobs, blobs)
@example(b"x", DEEP)
def test_any_evidence_of_a_coordinator_is_refused(evidence: bytes, endorsements: bytes) -> None:
    with pytest.raises(CoordinatorRefused):
        verify_coordinator_evidence(
            evidence, endorsements, root=b"root", nonce=b"nonce", policy=POLICY, now=NOW
        )


@given(
    st.dictionaries(
        st.sampled_from(
            [CHAIN_VARIABLE, KEY_VARIABLE, ROOT_VARIABLE, COORDINATOR_ROOT_VARIABLE, TTLS_VARIABLE]
        ),
        blobs,
    )
)
def test_any_variables_of_an_old_activation_are_refused(env: dict[str, bytes]) -> None:
    with pytest.raises(CoordinatorRefused):
        _legacy_credentials(Parameters(files={}, env=env, argv=()))


@given(st.binary(max_size=60))
@example(str(uuid.UUID(int=1)).encode() + b"\n")
def test_any_uuid_file_is_a_uuid_or_refused(content: bytes) -> None:
    path = Path(_FOLDER) / "uuid"
    path.write_bytes(content)
    with suppress(MarbleConfigurationError):
        assert isinstance(read_or_create(path), uuid.UUID)
    assert path.read_bytes() == content, "what is there is never overwritten"


@given(st.text(max_size=20))
@example("a/../../b")
@example("/")
@example("a\0b")
@example("\ud800")
@example("x" * 300)
def test_any_path_of_a_file_is_below_the_folder_or_refused(name: str) -> None:
    if name.startswith("/"):
        return
    before = {path for path in Path(_FOLDER).iterdir() if path.name != "inside"}
    with suppress(ParameterFileError):
        write_files({f"{_FOLDER}/inside/{name}": b"content"})
    assert {path for path in Path(_FOLDER).iterdir() if path.name != "inside"} == before


_FOLDER = ""


@pytest.fixture(scope="module", autouse=True)
def _folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    global _FOLDER
    _FOLDER = str(tmp_path_factory.mktemp("bytes"))
