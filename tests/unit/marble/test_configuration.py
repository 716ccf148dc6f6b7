"""Options, `SEALMESH_*`, `EDG_MARBLE_*`: one value, or an error that names both."""

from pathlib import Path

import pytest

from sealmesh.adapters.attester.choice import SimulatedChoice, SimulatedPlatform
from sealmesh.adapters.attester.device_choice import DeviceChoice
from sealmesh.attestation import Family
from sealmesh.errors.marble import MarbleConfigurationError, MarbleConflict
from sealmesh.marble.config import MarbleConfig, read_configuration
from sealmesh.marble.credentials import MarbleKey

_ATTESTERS = (
    "none, or simulated, simulated-tdx, simulated-snp, simulated-nitro, simulated-tpm, each also with :DIR; "
    "auto, or gramine, nitro, tsm, sev-guest, each also with :PATH; "
    "tdx-guest[:PATH][?port=N]; azure[:TCTI][?imds=URL]; tpm[:TCTI]?pcrs=sha256:0,7"
)
_NAMES = "DNS names in ASCII (`xn--...`) and IP addresses, separated by commas"


def read(options: dict[str, str] | None = None, **environment: str) -> MarbleConfig:
    return read_configuration((), {"attester": "simulated", "type": "shop", **(options or {})}, environment)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("coordinator", "coordinator", 2001),
        ("coordinator:1", "coordinator", 1),
        ("[::1]:7", "::1", 7),
        ("[::1]", "::1", 2001),
        ("10.0.0.1:65535", "10.0.0.1", 65535),
    ],
)
def test_address(text: str, host: str, port: int) -> None:
    address = read(EDG_MARBLE_COORDINATOR_ADDR=text).coordinator
    assert (address.host, address.port) == (host, port)


@pytest.mark.parametrize("text", ["host:0", "host:65536", "host:x", ":2001", "host:٣", "[]:1"])
def test_address_that_is_none_is_refused_and_named(text: str) -> None:
    with pytest.raises(MarbleConfigurationError, match="EDG_MARBLE_COORDINATOR_ADDR"):
        read(EDG_MARBLE_COORDINATOR_ADDR=text)


def test_same_value_twice_is_fine_and_empty_is_unset() -> None:
    assert read(EDG_MARBLE_TYPE="shop", SEALMESH_MARBLE_TYPE="").marble_type == "shop"


def test_two_values_are_a_conflict_that_names_both_sources() -> None:
    with pytest.raises(MarbleConflict) as caught:
        read(EDG_MARBLE_TYPE="stock")
    assert "--type and EDG_MARBLE_TYPE" in caught.value.message
    assert caught.value.found == "shop and stock"


def test_a_real_tee_is_named_instead_of_a_simulated_platform() -> None:
    configuration = read({"attester": "tsm:/config/tsm/report"})
    assert configuration.attester == DeviceChoice("tsm", Path("/config/tsm/report"))
    assert read({"attester": "simulated-snp:/p"}).attester == SimulatedChoice(
        SimulatedPlatform(Path("/p")), Family.SNP
    )


@pytest.mark.parametrize(
    ("variable", "text", "wanted"),
    [
        ("SEALMESH_WAIT_SECONDS", "soon", "a number of seconds"),
        ("SEALMESH_WAIT_SECONDS", "nan", "a number of seconds"),
        ("SEALMESH_WAIT_SECONDS", "-1", "a number of seconds"),
        ("EDG_MARBLE_DNS_NAMES", "shop, b\u00fccher.example", _NAMES),
        ("EDG_MARBLE_DNS_NAMES", "a b", _NAMES),
        ("EDG_MARBLE_DNS_NAMES", "a..b", _NAMES),
        ("EDG_MARBLE_DNS_NAMES", "-a", _NAMES),
        ("EDG_MARBLE_DNS_NAMES", "x" * 64, _NAMES),
        ("EDG_MARBLE_DNS_NAMES", "fe80::1%eth0", _NAMES),
        ("SEALMESH_LEGACY", "perhaps", "1 or 0"),
        ("SEALMESH_LOG_FORMAT", "xml", "json or console"),
        ("SEALMESH_LOG_LEVEL", "loud", "debug or info or warning or error"),
        (
            "SEALMESH_ATTESTER",
            "real",
            _ATTESTERS,
        ),
        (
            "SEALMESH_ATTESTER",
            "simulated:",
            _ATTESTERS,
        ),
    ],
)
def test_value_that_cannot_be_read_is_named_with_what_would_do(variable: str, text: str, wanted: str) -> None:
    environment = {"SEALMESH_ATTESTER": "simulated", variable: text, "SEALMESH_UNKNOWN": "ignored"}
    with pytest.raises(MarbleConfigurationError) as caught:
        read_configuration((), {"type": "shop"}, environment)
    assert caught.value.message == f"{variable} cannot be read"
    assert (caught.value.found, caught.value.wanted) == (repr(text), wanted)


def test_no_evidence_is_possible_only_with_the_old_activation() -> None:
    with pytest.raises(MarbleConfigurationError, match="no way to make Evidence"):
        read_configuration((), {"type": "shop", "attester": "none"}, {})
    old = read_configuration((), {"type": "shop", "attester": "none", "legacy": "1"}, {})
    assert old.attester is None


def test_unknown_option_and_missing_type_are_refused() -> None:
    with pytest.raises(MarbleConfigurationError, match="--tpye"):
        read({"tpye": "x"})
    with pytest.raises(MarbleConfigurationError, match="EDG_MARBLE_TYPE"):
        read_configuration((), {"attester": "simulated"}, {})


def test_platform_of_this_user_and_a_named_one() -> None:
    choice = read().attester
    assert isinstance(choice, SimulatedChoice)
    assert choice.platform.path == Path.home() / ".local/share/sealmesh/simulated-platform"
    named = read_configuration((), {"type": "x", "attester": "simulated:/p"}, {})
    assert named.attester == SimulatedChoice(SimulatedPlatform(Path("/p")))


def test_names_that_are_read_can_be_asked_for() -> None:
    names = read(
        EDG_MARBLE_DNS_NAMES="shop, *.shop.example,xn--bcher-kva.example, 10.0.0.1,::1, a_b"
    ).dns_names
    assert len(names) == 6
    assert MarbleKey.generate(256).request(names)
