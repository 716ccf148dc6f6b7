"""Options and variables of a Coordinator process."""

from datetime import timedelta
from pathlib import Path

import pytest

from sealmesh.adapters.attester.choice import SimulatedChoice, SimulatedPlatform
from sealmesh.adapters.log import LogFormat, LogLevel
from sealmesh.attestation import INTEL
from sealmesh.coordinator.relaxation import Relaxation
from sealmesh.errors.configuration import (
    AttesterMissing,
    ConfigurationError,
    ConflictingSources,
    UnknownRelaxation,
)
from sealmesh.server.configuration import SETTINGS, read_configuration
from sealmesh.server.values import Address

EMPTY_QUOTES = {"SEALMESH_COMPAT": "insecure-empty-quotes"}


def read(environment=None, **options):
    named = {name.replace("_", "-"): value for name, value in options.items()}
    return read_configuration(named, EMPTY_QUOTES | (environment or {}))


def test_defaults_are_marblerun_s():
    configuration = read()
    assert configuration.mesh == Address("", 2001)
    assert configuration.client == Address("", 4433)
    assert configuration.metrics is None
    assert configuration.dns_names == ("localhost",)
    assert configuration.seal_dir == Path.cwd() / "marblerun-coordinator-data"
    assert configuration.workers == 1
    assert configuration.result_lifetime == timedelta(hours=1)


def test_edg_variables_are_read():
    configuration = read(
        {
            "EDG_COORDINATOR_MESH_ADDR": "127.0.0.1:1",
            "EDG_COORDINATOR_CLIENT_ADDR": "[::1]:2",
            "EDG_COORDINATOR_PROMETHEUS_ADDR": "127.0.0.1:3",
            "EDG_COORDINATOR_DNS_NAMES": "a.example, 10.0.0.1,",
            "EDG_COORDINATOR_SEAL_DIR": "/x/y",
            "EDG_STARTUP_MANIFEST": "/m.json",
            "EDG_COORDINATOR_DEV_MODE": "1",
        }
    )
    assert (configuration.mesh, configuration.client) == (Address("127.0.0.1", 1), Address("::1", 2))
    assert configuration.metrics == Address("127.0.0.1", 3)
    assert configuration.dns_names == ("a.example", "10.0.0.1")
    assert configuration.seal_dir == Path("/x/y")
    assert configuration.startup_manifest == Path("/m.json")
    assert (configuration.log_format, configuration.log_level) == (LogFormat.CONSOLE, LogLevel.DEBUG)


def test_edg_cwd_moves_the_default_seal_directory():
    assert read({"EDG_CWD": "/in/enclave"}).seal_dir == Path("/in/enclave/marblerun-coordinator-data")


# `compat` is in the environment of all these tests.
UNSET = [setting for setting in SETTINGS if setting.name != "compat"]


@pytest.mark.parametrize("setting", UNSET, ids=lambda setting: setting.name)
def test_an_empty_variable_counts_as_unset(setting):
    assert read(dict.fromkeys(setting.variables, "")) == read()


def test_two_sources_that_differ_are_an_error_naming_both():
    with pytest.raises(ConflictingSources) as refused:
        read({"SEALMESH_MESH_ADDR": ":1", "EDG_COORDINATOR_MESH_ADDR": ":2"})
    assert "SEALMESH_MESH_ADDR" in refused.value.message
    assert "EDG_COORDINATOR_MESH_ADDR" in refused.value.message


def test_an_option_that_contradicts_a_variable_is_an_error_naming_both():
    with pytest.raises(ConflictingSources) as refused:
        read({"EDG_COORDINATOR_CLIENT_ADDR": ":2"}, client_addr=":1")
    assert "--client-addr" in refused.value.message


def test_sources_that_mean_the_same_are_fine():
    assert read({"SEALMESH_DNS_NAMES": "a,b", "EDG_COORDINATOR_DNS_NAMES": "a, b"}).dns_names == ("a", "b")


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("EDG_COORDINATOR_MESH_ADDR", "2001"),
        ("EDG_COORDINATOR_MESH_ADDR", "a:b"),
        ("EDG_COORDINATOR_MESH_ADDR", "::1:5"),
        ("EDG_COORDINATOR_MESH_ADDR", ":70000"),
        ("SEALMESH_WORKERS", "0"),
        ("SEALMESH_WORKERS", "many"),
        ("SEALMESH_RESULT_LIFETIME", "59s"),
        ("SEALMESH_RESULT_LIFETIME", "169h"),
        ("SEALMESH_RESULT_LIFETIME", "1"),
        ("SEALMESH_LOG_LEVEL", "loud"),
        ("SEALMESH_ATTESTER", "sgx"),
        ("SEALMESH_TRUST_ROOTS", "mine"),
        ("EDG_DEBUG_LOGGING", "maybe"),
    ],
)
def test_a_value_that_cannot_be_read_names_its_source(variable, text):
    with pytest.raises(ConfigurationError) as refused:
        read({variable: text})
    assert variable in refused.value.message


@pytest.mark.parametrize("environment", [{"SEALMESH_ATTESTER": "none"}, {"OE_SIMULATION": "0"}])
def test_where_no_attester_is_wanted_both_ways_out_are_named(environment):
    with pytest.raises(AttesterMissing) as refused:
        read_configuration({}, environment)
    assert "SEALMESH_ATTESTER" in refused.value.remedy
    assert "insecure-empty-quotes" in refused.value.remedy


def test_oe_simulation_alone_means_the_simulated_platform_and_names_its_root():
    configuration = read_configuration({}, {"OE_SIMULATION": "1"})
    assert configuration.attester == SimulatedChoice()
    assert configuration.simulated_platforms == (SimulatedPlatform(),)


def test_where_nothing_is_said_the_platform_is_simulated_and_its_root_is_not_trusted():
    configuration = read_configuration({}, {"EDG_COORDINATOR_MESH_ADDR": ":1"})
    assert configuration.attester == SimulatedChoice()
    assert configuration.attester_assumed
    assert configuration.simulated_platforms == ()


def test_oe_simulation_with_empty_quotes_needs_no_evidence():
    assert read({"OE_SIMULATION": "1"}).attester is None


def test_an_attester_that_is_named_none_stays_none():
    with pytest.raises(AttesterMissing):
        read_configuration({"attester": "none"}, {"OE_SIMULATION": "1"})


def test_the_attester_s_platform_is_a_named_root_unless_roots_are_named():
    platform = SimulatedPlatform(Path("/p"))
    assert read(attester="simulated:/p").simulated_platforms == (platform,)
    assert read(attester="simulated:/p", trust_roots="intel").simulated_platforms == ()
    assert read(trust_roots="intel,simulated:/p").simulated_platforms == (platform,)


def test_trust_roots_are_named_by_digest():
    roots = read(trust_roots=f"intel, lab={'ab' * 32}").roots
    assert roots is not None
    assert roots[0] == INTEL
    assert (roots[1].name, roots[1].sha256, roots[1].simulated) == ("lab", b"\xab" * 32, False)


@pytest.mark.parametrize("address", [":9944", "0.0.0.0:9944", "[::]:9944", "192.0.2.1:9944"])
def test_open_metrics_need_the_operator_s_word(address):
    assert not read({"EDG_COORDINATOR_PROMETHEUS_ADDR": address}).open_metrics
    opened = read({"SEALMESH_COMPAT": "marblerun", "EDG_COORDINATOR_PROMETHEUS_ADDR": address})
    assert opened.open_metrics


@pytest.mark.parametrize("address", ["127.0.0.1:9944", "[::1]:9944"])
def test_metrics_for_this_machine_alone_are_open(address):
    assert read({"EDG_COORDINATOR_PROMETHEUS_ADDR": address}).open_metrics


def test_an_unknown_relaxation_is_an_error():
    with pytest.raises(UnknownRelaxation):
        read({"SEALMESH_COMPAT": "marblerunn"})


def test_compat_marblerun_is_every_relaxation():
    assert read({"SEALMESH_COMPAT": "marblerun"}).relaxations == frozenset(Relaxation)


def test_a_distributed_coordinator_is_refused_and_not_silently_single():
    with pytest.raises(ConfigurationError) as refused:
        read({"EDG_STORE_BACKEND": "k8s-secret"})
    assert "EDG_STORE_BACKEND" in refused.value.message


def test_lifetime_of_results_is_a_span():
    assert read({"SEALMESH_RESULT_LIFETIME": "90s"}).result_lifetime == timedelta(seconds=90)
    assert read(result_lifetime="30m").result_lifetime == timedelta(minutes=30)
    assert read(result_lifetime="168h").result_lifetime == timedelta(days=7)
