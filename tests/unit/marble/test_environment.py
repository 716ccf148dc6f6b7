"""What a program's environment is made of."""

from dataclasses import replace

import pytest

from sealmesh.attestation.simulated import EnvironmentVariable
from sealmesh.errors.marble import ProgramRefused
from sealmesh.marble.environment import declared_environment, program_environment, wrapped
from sealmesh.marble.membership import Credentials, Parameters, TlsRules
from sealmesh.policy import UNRESTRICTED_MESH
from sealmesh.provisioning.rendering import KEY_VARIABLE, TTLS_VARIABLE


def variable(name: str, value: str | None = None, *, from_host: bool = False) -> EnvironmentVariable:
    return EnvironmentVariable(name=name, value=value, from_host=from_host)


def parameters(**env: bytes) -> Parameters:
    return Parameters(files={}, env=env, argv=())


@pytest.fixture
def credentials() -> Credentials:
    from datetime import UTC, datetime

    return Credentials(
        certificate_chain_pem="",
        key_pem="the key",
        marble_root_pem="",
        coordinator_root=b"",
        trust_domain="",
        spiffe_id="",
        policy=UNRESTRICTED_MESH,
        tls=TlsRules(),
        not_after=datetime(2026, 1, 1, tzinfo=UTC),
        renew_after=None,
        simulation=False,
    )


def test_only_declared_variables_pass() -> None:
    declared = (
        variable("A", "fixed"),
        variable("B", from_host=True),
        variable("C", "default", from_host=True),
    )
    host = {"A": "by the host", "B": "b", "D": "d"}
    assert declared_environment(declared, host) == {"A": b"fixed", "B": b"b", "C": b"default"}


@pytest.mark.parametrize(
    "name", ["LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "SEALMESH_AGENT"]
)
def test_host_may_not_choose_code(name: str) -> None:
    with pytest.raises(ProgramRefused, match=name):
        declared_environment((variable(name, from_host=True),), {name: "/evil"})


def test_manifest_wins_and_the_key_is_ours(credentials: Credentials) -> None:
    environment = program_environment(
        {"A": b"package", "B": b"b"}, parameters(A=b"manifest", **{KEY_VARIABLE: b"by template"}), credentials
    )
    assert environment == {"A": b"manifest", "B": b"b", KEY_VARIABLE: b"the key"}


@pytest.mark.parametrize("env", [{"A=B": b""}, {"": b""}, {"A\0": b""}, {"A": b"\0"}])
def test_variable_that_cannot_be_one_is_refused(env: dict[str, bytes], credentials: Credentials) -> None:
    with pytest.raises(ProgramRefused):
        program_environment({}, parameters(**env), credentials)


def test_wrapped_program_gets_the_data_plane_first_and_no_key(credentials: Credentials) -> None:
    given = program_environment(
        {"PYTHONPATH": b"lib"},
        parameters(**{TTLS_VARIABLE: b"with a key", "TOKEN": b"asked for"}),
        credentials,
    )
    assert wrapped(given, inject="/inject", agent="/agent") == {
        "PYTHONPATH": b"/inject:lib",
        "SEALMESH_AGENT": b"/agent",
        "TOKEN": b"asked for",
    }
    assert replace(credentials).key_pem.encode() not in wrapped(given, inject="/i", agent="/a").values()
