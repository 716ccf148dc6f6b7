"""Package-only updates (COMPAT section 10)."""

import pytest

from sealmesh.errors.manifest import ManifestError
from sealmesh.manifest import is_package_update, parse_package_update


def codes(raw: bytes, **kw) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        parse_package_update(raw, **kw)
    return [violation.code for violation in caught.value.violations]


@pytest.mark.parametrize(
    ("raw", "package_only"),
    [
        (b'{"Packages":{"p":{"SecurityVersion":4}}}', True),
        (b'{"Packages":{},"Config":{"SealMode":"Disabled"}}', True),
        (b"{}", True),
        (b'{"packages":{},"Marbles":{},"Secrets":null}', True),
        (b'{"Packages":{},"Marbles":{"a":{}}}', False),
        (b'{"Packages":{},"roles":{"a":{}}}', False),
        (b'{"Packages":{},"Access":[]}', False),
        (b'{"Packages":{},"Simulation":true}', False),
        (b"[]", False),
    ],
)
def test_package_updates_are_told_from_manifests(raw, package_only):
    assert is_package_update(raw) is package_only


def test_a_package_update_gives_versions():
    update = parse_package_update(b'{"Packages":{"p":{"SecurityVersion":4},"q":{"securityversion":0}}}')
    assert update.security_versions == {"p": 4, "q": 0}


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"{}", "update.no-packages"),
        (b'{"Packages":{"p":{}}}', "update.no-version"),
        (b'{"Packages":{"p":{"SecurityVersion":4,"ProductID":7}}}', "update.more-than-version"),
        (b'{"Packages":{"p":{"SecurityVersion":4,"SignerID":"aa"}}}', "update.more-than-version"),
        (b'{"Packages":{"p":{"SecurityVersion":4,"UniqueID":"aa"}}}', "update.more-than-version"),
        (b'{"Packages":{"p":{"SecurityVersion":4,"Debug":true}}}', "update.more-than-version"),
        (b'{"Packages":{"p":{"SecurityVersion":"4"}}}', "wrong-type"),
        (b'{"Packages":{"p":{"SecurityVersion":4}},"Marbles":{"a":{}}}', "update.not-package-only"),
        (b"x", "json.syntax"),
    ],
)
@pytest.mark.parametrize("lenient", [True, False])
def test_what_is_more_or_less_than_versions_is_refused(raw, code, lenient):
    assert codes(raw, lenient=lenient) == [f"manifest.{code}"]


def test_unknown_keys_are_refused_strictly_and_ignored_leniently():
    raw = b'{"Packages":{"p":{"SecurityVersion":4,"Colour":1}}}'
    assert codes(raw) == ["manifest.unknown-key"]
    assert parse_package_update(raw, lenient=True).security_versions == {"p": 4}
