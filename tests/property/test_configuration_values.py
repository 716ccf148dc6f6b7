"""Options and variables of a Coordinator: any text is a configuration or our error that names its source."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sealmesh.errors import SealmeshError
from sealmesh.errors.configuration import ConfigurationError, ConflictingSources
from sealmesh.server.composition import build_settings, fresh_authority
from sealmesh.server.configuration import SETTINGS, read_configuration
from sealmesh.server.evidence import EvidenceParts, NoCollateral

quick = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
VARIABLES = tuple(variable for setting in SETTINGS for variable in setting.variables)
HARMLESS = {"SEALMESH_COMPAT": "insecure-empty-quotes"}
#: What environments can hold: no NUL, and lone surrogates for bytes that are no UTF-8.
TEXTS = st.text(st.characters(exclude_characters="\0", codec=None), max_size=40) | st.sampled_from(
    [
        ":1",
        "localhost:0",
        "[::1]:5",
        "1",
        "0",
        "true",
        "a,b",
        "marblerun",
        "simulated:/x",
        "intel",
        "²",
        "٣:٣",
    ]
)


@quick
@given(st.dictionaries(st.sampled_from(VARIABLES), TEXTS, max_size=4))
@example({"SEALMESH_WORKERS": "²"})
@example({"EDG_COORDINATOR_MESH_ADDR": ":²"})
@example({"EDG_COORDINATOR_MESH_ADDR": ":" + "1" * 5000})
@example({"SEALMESH_WORKERS": "1" * 5000})
@example({"EDG_COORDINATOR_SEAL_DIR": "\udcff"})
def test_any_environment_is_a_configuration_or_refused(environment: dict[str, str]) -> None:
    with suppress(ConfigurationError):
        configuration = read_configuration({}, HARMLESS | environment)
        assert 0 <= configuration.mesh.port <= 65535
        assert 0 <= configuration.client.port <= 65535
        assert configuration.workers >= 1
        assert configuration.seal_dir.is_absolute()


def refusal(setting, environment: dict[str, str]) -> ConfigurationError | None:
    try:
        setting.value({}, environment)
    except ConfigurationError as error:
        return error
    return None


@quick
@given(st.sampled_from([setting for setting in SETTINGS if len(setting.variables) > 1]), TEXTS, TEXTS)
def test_two_sources_mean_the_same_or_are_an_error_that_names_both(setting, one: str, other: str) -> None:
    values = dict(zip(setting.variables, (one, other), strict=False))
    refused = refusal(setting, values)
    named = [variable for variable in values if refused and variable in refused.message]
    if isinstance(refused, ConflictingSources):
        assert named == list(values)
    elif refused is not None:
        assert named
    else:
        found = setting.value({}, values)
        assert all(setting.value({}, {name: text}) == found for name, text in values.items() if text)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
@quick
@given(st.data())
def test_what_cannot_be_read_names_its_variable(setting, data: st.DataObject) -> None:
    text = data.draw(TEXTS.filter(bool))
    for variable in setting.variables:
        refused = refusal(setting, {variable: text})
        assert refused is None or variable in refused.message or setting.name == "compat"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\0,", codec=None), max_size=12), max_size=3))
@example(["ä.example"])
@example(["a..b"])
@example(["*.x", "10.0.0.1", "fe80::1%eth0"])
@example(["x" * 300])
def test_any_names_are_in_the_certificate_or_refused_before_anything_listens(names: list[str]) -> None:
    configuration = read_configuration({}, HARMLESS | {"EDG_COORDINATOR_DNS_NAMES": ",".join(names)})
    parts = EvidenceParts(attester=None, endorser=NoCollateral(), roots=())
    with suppress(SealmeshError):
        fresh_authority(build_settings(configuration, parts))
