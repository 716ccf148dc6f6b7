import hashlib
import json

import pytest

from sealmesh.client import effective_manifest
from sealmesh.errors.client import AnswerError


def effective(document: object, *log: dict[str, object]) -> dict[str, object]:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    lines = [json.dumps(line) for line in log]
    return json.loads(effective_manifest(raw, hashlib.sha256(raw).hexdigest(), lines))


def version(package: str, number: int) -> dict[str, object]:
    return {"time": "t", "update": "u", "user": "ada", "package": package, "new version": number}


def test_every_field_is_written_out() -> None:
    found = effective(
        {
            "Packages": {"oven": {"UniqueID": "ab"}},
            "Marbles": {"baker": {"Package": "oven", "Parameters": {"Env": {"A": "b"}, "Files": {}}}},
        }
    )
    assert found["Packages"] == {"oven": {"Debug": False, "SignerID": "", "UniqueID": "ab"}}
    assert found["Marbles"]["baker"] == {
        "Package": "oven",
        "MaxActivations": 0,
        "DisableSecretBinding": False,
        "Parameters": {"Env": {"A": {"Data": "b", "Encoding": "string", "NoTemplates": False}}},
    }
    assert found["Config"] == {
        "SealMode": "", "UpdateThreshold": 0, "RecoveryThreshold": 0, "RotateRootSecret": False,
    }  # fmt: skip
    assert set(found) == {"Packages", "Marbles", "Config"}


def test_ports_of_tls_tags_are_written_out() -> None:
    tags = {
        "web": {"Incoming": [{"port": "8443"}], "Outgoing": [{"Addr": "db", "Port": "3306"}]},
        "none": None,
    }
    found = effective({"Packages": {}, "TLS": tags})
    assert found["TLS"] == {
        "web": {
            "Incoming": [{"Port": "8443", "Cert": "", "DisableClientAuth": False}],
            "Outgoing": [{"Addr": "db", "Port": "3306"}],
        },
        "none": {},
    }


def test_fields_in_any_case_get_their_spelling_and_repeated_maps_merge() -> None:
    raw = b'{"packages":{"a":{"debug":true}},"PACKAGES":{"b":{"securityversion":2}},"Secrets":null}'
    found = effective(raw)
    assert found["Packages"]["a"]["Debug"] is True
    assert found["Packages"]["b"]["SecurityVersion"] == 2
    assert "Secrets" not in found


def test_the_last_version_of_the_log_counts() -> None:
    manifest = {"Packages": {"oven": {"SecurityVersion": 1}, "till": {"UniqueID": "cd"}}}
    found = effective(manifest, version("oven", 2), version("oven", 4), version("gone", 9))
    assert found["Packages"]["oven"]["SecurityVersion"] == 4
    assert "SecurityVersion" not in found["Packages"]["till"]
    assert "gone" not in found["Packages"]


def test_versions_from_before_the_manifest_was_applied_do_not_count() -> None:
    raw = json.dumps({"Packages": {"oven": {"SecurityVersion": 3}}}).encode()
    applied = {"time": "t", "update": "u", "manifestFingerprint": hashlib.sha256(raw).hexdigest()}
    assert effective(raw, version("oven", 9), applied)["Packages"]["oven"]["SecurityVersion"] == 3
    later = effective(raw, version("oven", 9), applied, version("oven", 4))
    assert later["Packages"]["oven"]["SecurityVersion"] == 4
    proposed = applied | {"user": "ada"}
    still = effective(raw, version("oven", 9), proposed)
    assert still["Packages"]["oven"]["SecurityVersion"] == 9


def test_what_only_we_know_is_kept() -> None:
    found = effective({"Packages": {}, "Access": [{"From": ["@mesh"], "To": "a", "Ports": ["*"]}]})
    assert found["Access"] == [{"From": ["@mesh"], "To": "a", "Ports": ["*"]}]


@pytest.mark.parametrize("raw", [b"", b"[]", b'"x"', b'{"Packages": 5}', b'{"Packages": {"a": 5}}'])
def test_what_is_no_manifest_is_our_error(raw: bytes) -> None:
    with pytest.raises(AnswerError):
        effective_manifest(raw, "00", [])


def test_a_log_that_is_no_json_is_our_error() -> None:
    with pytest.raises(AnswerError):
        effective_manifest(b"{}", "00", ["no"])
