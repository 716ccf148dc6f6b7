"""Every rule has its own code, its place and its remedy; all of them are found at once."""

import json

import pytest

from sealmesh.errors.manifest import ManifestError
from sealmesh.manifest import parse_manifest

SECRET = {"Type": "symmetric-key", "Size": 128, "Shared": True}
CERT = {"Type": "cert-ed25519", "Shared": True}
GATE = "Config/FeatureGates"

TABLE = [
    ("package.none", {"Packages": {}, "Marbles": {"a": {"Package": "x"}}}),
    ("marble.none", {"Marbles": {}}),
    ("marble.unknown-package", {"Marbles/baker/Package": "ovne"}),
    ("marble.unknown-tls-tag", {"Marbles/baker/TLS": ["web"]}),
    ("package.mixed-identity", {"Packages/oven/UniqueID": "aa"}),
    ("package.no-identity", {"Packages/oven": {}}),
    ("package.incomplete-identity", {"Packages/oven": {"SignerID": "aa"}}),
    ("infrastructure.bad-value", {"Infrastructures": {"i": {"CPUSVN": [1, 2, 3]}}}),
    ("infrastructure.bad-value", {"Infrastructures": {"i": {"RootCA": "AwQ="}}}),
    ("infrastructure.bad-value", {GATE: ["Evidence"], "Infrastructures": {"i": {"Regions": []}}}),
    ("evidence.bad-hex", {GATE: ["Evidence"], "Infrastructures": {"i": {"FMSPCs": ["00"]}}}),
    ("evidence.bad-value", {GATE: ["Evidence"], "Infrastructures": {"i": {"PlatformIDs": []}}}),
    ("gate.missing", {"Infrastructures": {"i": {"FMSPCs": ["00906ED50000"]}}}),
    ("wrong-type", {"Packages/oven/Debug": "true"}),
    ("out-of-range", {"Packages/oven/ProductID": 1 << 64}),
    ("unknown-key", {"Packages/oven/Colour": 1}),
    ("bad-name", {"Secrets": {"": SECRET}}),
    ("bad-name", {"Secrets": {"a\nb": SECRET}}),
    ("bad-name", {"Secrets": {"a" * 257: SECRET}}),
    ("parameter.unknown-encoding", {"Marbles/baker/Parameters/Files/f": {"Data": "", "Encoding": "utf8"}}),
    ("parameter.bad-encoding", {"Marbles/baker/Parameters/Env/E": {"Data": "YQ", "Encoding": "base64"}}),
    ("parameter.bad-encoding", {"Marbles/baker/Parameters/Env/E": {"Data": "61 62", "Encoding": "hex"}}),
    ("env.nul", {"Marbles/baker/Parameters/Env/E": {"Data": "00", "Encoding": "hex"}}),
    ("env.bad-name", {"Marbles/baker/Parameters/Env": {"A=B": "x"}}),
    ("file.bad-name", {"Marbles/baker/Parameters/Files": {"": "x"}}),
    ("argv.nul", {"Marbles/baker/Parameters/Argv": ["a\0b"]}),
    ("tls.no-port", {"TLS/t": {"Incoming": [{}]}}),
    ("tls.no-port", {"TLS/t": {"Outgoing": [{"Addr": "a"}]}}),
    ("tls.no-address", {"TLS/t": {"Outgoing": [{"Port": "1"}]}}),
    ("tls.client-auth-without-cert", {"TLS/t": {"Incoming": [{"Port": "1", "DisableClientAuth": True}]}}),
    ("tls.cert-with-client-auth", {"Secrets/c": CERT, "TLS/t": {"Incoming": [{"Port": "1", "Cert": "c"}]}}),
    ("tls.unknown-cert", {"TLS/t": {"Incoming": [{"Port": "1", "Cert": "c", "DisableClientAuth": True}]}}),
    (
        "tls.cert-not-a-certificate",
        {"Secrets/c": SECRET, "TLS/t": {"Incoming": [{"Port": "1", "Cert": "c", "DisableClientAuth": True}]}},
    ),
    ("user.no-certificate", {"Users/u": {}}),
    ("user.no-certificate", {"Users/u/Certificate": "-----BEGIN KEY-----\nAAAA\n-----END KEY-----\n"}),
    (
        "user.bad-certificate",
        {"Users/u/Certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
    ),
    ("role.unknown-resource-type", {"Roles/r": {"ResourceType": "secrets"}}),
    ("role.unknown-action", {"Roles/r": {"ResourceType": "Manifest", "Actions": ["Delete"]}}),
    ("role.wrong-action", {"Roles/r": {"ResourceType": "Manifest", "Actions": ["ReadSecret"]}}),
    ("role.unknown-resource", {"Roles/r": {"ResourceType": "Packages", "ResourceNames": ["x"]}}),
    ("role.manifest-with-names", {"Roles/r": {"ResourceType": "Manifest", "ResourceNames": ["x"]}}),
    (
        "role.writes-generated-secret",
        {
            "Secrets/s": SECRET,
            "Roles/r": {"ResourceType": "Secrets", "ResourceNames": ["s"], "Actions": ["WriteSecret"]},
        },
    ),
    (
        "role.reads-private-secret",
        {
            "Secrets/s": SECRET | {"Shared": False},
            "Roles/r": {"ResourceType": "Secrets", "ResourceNames": ["s"], "Actions": ["ReadSecret"]},
        },
    ),
    ("secret.unknown-type", {"Secrets/s/Type": "Plain"}),
    ("secret.plain-not-user-defined", {"Secrets/s/Type": "plain"}),
    ("secret.bad-size", {"Secrets/s": SECRET | {"Size": 12}}),
    ("secret.bad-size", {"Secrets/s": SECRET | {"Size": 1 << 24}}),
    ("secret.bad-size", {"Secrets/s": {"Type": "symmetric-key", "Size": 65288}}),
    ("secret.bad-size", {"Secrets/s": SECRET | {"UserDefined": True, "Size": 1 << 63}}),
    ("secret.bad-size", {"Secrets/s": {"Type": "cert-rsa", "Size": 16384}}),
    ("secret.bad-size", {"Secrets/s": {"Type": "cert-ecdsa", "Size": 255}}),
    ("secret.bad-size", {"Secrets/s": CERT | {"Size": 256}}),
    ("secret.weak-rsa", {"Secrets/s": {"Type": "cert-rsa", "Size": 1024}}),
    ("secret.two-ends", {"Secrets/s": CERT | {"ValidFor": 3, "Cert": {"NotAfter": "2150-01-01T00:00:00Z"}}}),
    ("secret.valid-for-too-long", {"Secrets/s": CERT | {"ValidFor": 365_001}}),
    ("secret.too-much", {"Secrets": {f"s{i}": SECRET | {"Size": 8 << 20} for i in range(9)}}),
    (
        "secret.too-much",
        {"Secrets": {f"s{i}": SECRET | {"Shared": False, "Size": 65280} for i in range(1029)}},
    ),
    (
        "secret.too-much",
        {"Secrets": {f"s{i}": SECRET | {"UserDefined": True, "Size": 8 << 20} for i in range(9)}},
    ),
    ("secret.too-much-rsa", {"Secrets": {f"s{i}": {"Type": "cert-rsa", "Size": 8192} for i in range(17)}}),
    ("secret.bad-time", {"Secrets/s": CERT | {"Cert": {"NotAfter": "tomorrow"}}}),
    ("secret.bad-time", {"Secrets/s": CERT | {"Cert": {"NotAfter": "2030-02-30T00:00:00Z"}}}),
    ("secret.bad-address", {"Secrets/s": CERT | {"Cert": {"IPAddresses": ["1.2.3"]}}}),
    ("secret.bad-certificate-field", {"Secrets/s": CERT | {"Cert": {"KeyUsage": 512}}}),
    ("secret.bad-certificate-field", {"Secrets/s": CERT | {"Cert": {"ExtKeyUsage": [-1]}}}),
    ("secret.bad-certificate-field", {"Secrets/s": CERT | {"Cert": {"DNSNames": ["größe"]}}}),
    ("secret.bad-certificate-field", {"Secrets/s": CERT | {"Cert": {"Subject": {"Country": ["DEU"]}}}}),
    ("secret.cert-without-certificate", {"Secrets/s": SECRET | {"Cert": {}}}),
    ("recovery-key.not-rsa", {"RecoveryKeys/k": "abc"}),
    ("config.unknown-seal-mode", {"Config/SealMode": "productkey"}),
    ("config.update-threshold-unreachable", {"Config/UpdateThreshold": 1}),
    ("config.bad-recovery-threshold", {"Config/RecoveryThreshold": 2}),
    ("gate.unknown", {GATE: ["Acces"]}),
    ("gate.unavailable", {GATE: ["azurehsmsealing"]}),
    ("gate.missing", {"Access": []}),
    ("gate.missing", {"Simulation": False}),
    ("gate.missing", {"Marbles/baker/Names": []}),
    ("gate.missing", {"Marbles/baker/Certificate": {}}),
    ("access.none", {GATE: ["Access"]}),
    ("access.incomplete", {GATE: ["Access"], "Access": [{"To": "baker", "Ports": ["1"]}]}),
    ("access.bad-ports", {GATE: ["Access"], "Access": [{"From": ["@mesh"], "To": "baker", "Ports": ["0"]}]}),
    (
        "access.bad-ports",
        {GATE: ["Access"], "Access": [{"From": ["@mesh"], "To": "baker", "Ports": ["9-8"]}]},
    ),
    (
        "access.bad-ports",
        {GATE: ["Access"], "Access": [{"From": ["@mesh"], "To": "baker", "Ports": ["65536"]}]},
    ),
    ("access.unknown-type", {GATE: ["Access"], "Access": [{"From": ["x"], "To": "baker", "Ports": ["1"]}]}),
    (
        "access.unknown-type",
        {GATE: ["Access"], "Access": [{"From": ["@all"], "To": "baker", "Ports": ["1"]}]},
    ),
    (
        "access.unknown-type",
        {GATE: ["Access"], "Access": [{"From": ["@mesh"], "To": "@anyone", "Ports": ["1"]}]},
    ),
    ("access.reserved-type", {GATE: ["Access"], "Access": [], "Marbles/@mesh": {"Package": "oven"}}),
    (
        "access.too-many",
        {GATE: ["Access"], "Access": [{"From": ["baker"], "To": "baker", "Ports": ["1"]}] * 10_001},
    ),
    (
        "access.too-many",
        {GATE: ["Access"], "Access": [{"From": ["baker"], "To": "baker", "Ports": ["1"] * 1001}]},
    ),
    ("names.wildcard", {GATE: ["Names"], "Marbles/baker/Names": ["*.example"]}),
    ("names.not-a-name", {GATE: ["Names"], "Marbles/baker/Names": ["a..b"]}),
    ("certificate.bad-lifetime", {GATE: ["Certificate"], "Marbles/baker/Certificate": {"Lifetime": "1 day"}}),
    ("certificate.bad-lifetime", {GATE: ["Certificate"], "Marbles/baker/Certificate": {"Lifetime": -5}}),
    (
        "certificate.lifetime-out-of-bounds",
        {GATE: ["Certificate"], "Marbles/baker/Certificate": {"Lifetime": "9s"}},
    ),
    (
        "certificate.lifetime-out-of-bounds",
        {GATE: ["Certificate"], "Marbles/baker/Certificate": {"Lifetime": "9553h"}},
    ),
]


@pytest.mark.parametrize(("code", "changes"), TABLE)
def test_a_broken_rule_is_reported_under_its_own_code(codes, code, changes):
    assert f"manifest.{code}" in codes(changes)


def test_nothing_is_wrong_with_the_minimal_manifest(codes):
    assert codes() == []


def test_all_violations_are_found_at_once_in_document_order(codes):
    found = codes(
        {
            "Packages/oven/Colour": 1,
            "Packages/oven/ProductID": "7",
            "Marbles/baker/TLS": ["web"],
            "Marbles/cook": {"Package": "stove"},
            "Secrets": {"s": {"Type": "nope"}, "t": {"Type": "plain"}},
            "Config/SealMode": "x",
        }
    )
    assert found == [
        "manifest.wrong-type",
        "manifest.unknown-key",
        "manifest.marble.unknown-tls-tag",
        "manifest.marble.unknown-package",
        "manifest.secret.unknown-type",
        "manifest.secret.plain-not-user-defined",
        "manifest.config.unknown-seal-mode",
    ]


def test_what_follows_from_an_unreadable_thing_is_not_reported_too(codes):
    changes = {
        "Packages/oven/SecurityVersion": "3",
        "Secrets/c": {"Type": "certificate"},
        "TLS/t": {"Incoming": [{"Port": "1", "Cert": "c", "DisableClientAuth": True}]},
        "Users/u": {"Certificate": "x", "Roles": ["r"]},
        "Roles/r": {"ResourceType": "manifest", "Actions": ["UpdateManifest"]},
        "Config/UpdateThreshold": 1,
        "Config/RecoveryThreshold": 2,
        "RecoveryKeys": {"a": "", "b": ""},
    }
    assert codes(changes) == [
        "manifest.wrong-type",
        "manifest.secret.unknown-type",
        "manifest.user.no-certificate",
        "manifest.role.unknown-resource-type",
        "manifest.recovery-key.not-rsa",
        "manifest.recovery-key.not-rsa",
    ]


def test_a_section_of_the_wrong_type_is_reported_once(codes):
    assert codes({"Packages": []}) == ["manifest.wrong-type"]


def _violations(raw: bytes, **kw):
    with pytest.raises(ManifestError) as caught:
        parse_manifest(raw, **kw)
    return caught.value.violations


def test_a_violation_names_path_line_and_column():
    lines = ["{", ' "Packages": {"p": {"UniqueID": "aa"}},', ' "Marbles": {']
    raw = "\n".join([*lines, '  "a": {"Package": "p", "TLS": ["t"]}}', "}"]).encode()
    (violation,) = _violations(raw)
    assert (violation.path, violation.line, violation.column) == ("Marbles.a.TLS[0]", 4, 33)


def test_columns_count_characters_and_odd_names_are_quoted_in_paths():
    raw = '{"Packages":{"ö ö":{"UniqueID":"aa"}},"Marbles":{"a.b":{"Package":"ö ö","Größe":1}}}'.encode()
    (violation,) = _violations(raw)
    assert violation.path == 'Marbles["a.b"]["Gr\\u00f6\\u00dfe"]'
    assert violation.column == raw.decode().index('"Größe"') + 1


@pytest.mark.parametrize(
    ("section", "key", "meant"),
    [
        ("Packages/oven", "SecurityVesion", "'SecurityVersion'"),
        ("Marbles/baker", "Pakage", "'Package'"),
        ("Marbles/baker", "maxactivation", "'MaxActivations'"),
    ],
)
def test_an_unknown_key_is_refused_with_what_was_perhaps_meant(document, section, key, meant):
    violations = _violations(document({f"{section}/{key}": 1}))
    assert [violation.remedy for violation in violations] == [f"Did you mean {meant}?"]


def test_an_unknown_reference_is_refused_with_what_was_perhaps_meant(document):
    (violation,) = _violations(document({"Marbles/baker/Package": "oven2"}))
    assert violation.remedy == "Did you mean 'oven'?"


def test_a_missing_gate_is_named(document):
    (violation,) = _violations(document({"Access": []}))
    assert '"Access" to Config.FeatureGates' in violation.remedy


def test_the_error_has_the_code_of_a_single_violation_and_a_common_one_for_several(document):
    with pytest.raises(ManifestError) as one:
        parse_manifest(document({"Marbles": {}}))
    with pytest.raises(ManifestError) as two:
        parse_manifest(document({"Marbles": {}, "Nope": 1}))
    assert (one.value.code, two.value.code) == ("manifest.marble.none", "manifest.invalid")
    assert all(violation.as_dict()["code"] for violation in two.value.violations)


def test_the_number_of_violations_is_bounded():
    marbles = {f"m{index}": {"Package": "x"} for index in range(5000)}
    violations = _violations(json.dumps({"Packages": {"p": {"UniqueID": "a"}}, "Marbles": marbles}).encode())
    assert len(violations) == 201
    assert violations[-1].code == "manifest.too-many-violations"
    assert "4800" in violations[-1].message


def test_long_values_are_cut_in_messages(document):
    (violation,) = _violations(document({"Marbles/baker/Package": "x" * 100_000}))
    assert len(str(violation)) < 500


def test_same_certificate_for_two_users_is_refused(codes, certificates):
    ada, again = certificates["ada"], "text around it\n" + certificates["ada"] + certificates["bob"]
    assert codes({"Users": {"a": {"Certificate": ada}, "b": {"Certificate": again}}}) == [
        "manifest.user.same-certificate"
    ]


def test_weak_and_foreign_recovery_keys_are_refused(codes, keys, certificates):
    assert codes({"RecoveryKeys/k": keys["weak"]}) == ["manifest.recovery-key.weak"]
    assert codes({"RecoveryKeys/k": keys["weak"]}, lenient=True) == []
    assert codes({"RecoveryKeys/k": keys["ec"]}, lenient=True) == ["manifest.recovery-key.not-rsa"]
    assert codes({"RecoveryKeys/k": certificates["ada"]}) == ["manifest.recovery-key.not-rsa"]


def test_users_count_for_the_update_threshold_by_the_first_action_of_a_role(codes, certificates):
    roles = {
        "m": {"ResourceType": "Manifest", "Actions": ["updatemanifest"]},
        "s": {"ResourceType": "Packages", "ResourceNames": ["oven"]},
    }
    users = {
        "ada": {"Certificate": certificates["ada"], "Roles": ["s", "m"]},
        "bob": {"Certificate": certificates["bob"], "Roles": ["s"]},
    }
    changes = {"Roles": roles, "Users": users}
    assert codes(changes | {"Config/UpdateThreshold": 1}) == []
    assert codes(changes | {"Config/UpdateThreshold": 2}) == ["manifest.config.update-threshold-unreachable"]
