"""The `dataplane` section of a package."""

import signal

import pytest

from sealmesh.dataplane.configuration import Exposure
from sealmesh.errors.marble import MarbleConfigurationError
from sealmesh.marble.dataplane_section import DataplaneSection, TlsBy


def test_without_a_section_the_mesh_does_tls_and_nothing_else_passes() -> None:
    for raw in (None, b"{}"):
        section = DataplaneSection.parse(raw)
        assert section.tls is TlsBy.MESH
        assert section.options.egress is section.options.ingress is Exposure.REFUSE
        assert section.credentials is section.reload is None


def test_whole_section() -> None:
    section = DataplaneSection.parse(
        b'{"tls": "own", "egress": "pass", "ingress": "loopback", "credentials": "d", "reload": "SIGHUP"}'
    )
    assert (section.tls, section.credentials) == (TlsBy.OWN, "d")
    assert section.reload is not None
    assert section.reload.number is signal.SIGHUP


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b'{"tsl": "own"}', "found tsl; wanted tls, egress, ingress, credentials, reload"),
        (b'{"tls": "none"}', "mesh, own"),
        (b'{"egress": true}', "refuse, loopback, pass"),
        (b'{"credentials": "d", "reload": "SIGKILL"}', "SIGHUP, SIGUSR1, SIGUSR2"),
        (b'{"credentials": 1}', "credentials"),
        (b"[]", "object"),
    ],
)
def test_what_is_unknown_is_refused_with_what_is_known(raw: bytes, said: str) -> None:
    with pytest.raises(MarbleConfigurationError, match=r"^In the package: ") as caught:
        DataplaneSection.parse(raw)
    assert said in str(caught.value)
    assert "sign the package again" in str(caught.value)


def test_signal_without_files_is_refused() -> None:
    with pytest.raises(MarbleConfigurationError, match="nothing to reload") as caught:
        DataplaneSection.parse(b'{"tls": "own", "reload": "SIGHUP"}')
    assert '"credentials": DIRECTORY' in str(caught.value)
