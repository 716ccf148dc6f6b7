"""What an accepted manifest becomes."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest

from sealmesh.manifest import (
    ALL_PORTS,
    AccessRule,
    Action,
    CertificateTemplate,
    FeatureGate,
    Incoming,
    Infrastructure,
    Names,
    Outgoing,
    Package,
    Parameter,
    PortRange,
    ResourceType,
    SealMode,
    SecretDefinition,
    SecretType,
    SubjectTemplate,
    parse_manifest,
)


def test_packages_keep_zero_apart_from_absent(accepted):
    manifest = accepted({"Packages/oven": {"SignerID": "aa", "ProductID": 0, "SecurityVersion": 0}})
    assert manifest.packages["oven"] == Package(signer_id="aa", product_id=0, security_version=0)
    assert manifest.packages["oven"].accepted_tcb_statuses is None


def test_parameters_are_decoded(accepted):
    manifest = accepted(
        {
            "Marbles/baker/Parameters": {
                "Files": {"a": {"Data": "aG\nk=", "Encoding": "BASE64", "NoTemplates": True}, "b": {}},
                "Env": {"E": "größe", "H": {"Data": "6869", "Encoding": "Hex"}},
                "Argv": ["./x", ""],
            }
        }
    )
    parameters = manifest.marbles["baker"].parameters
    assert parameters.files == {"a": Parameter(data=b"hi", no_templates=True), "b": Parameter(data=b"")}
    assert parameters.env == {"E": Parameter(data="größe".encode()), "H": Parameter(data=b"hi")}
    assert parameters.argv == ("./x", "")


def test_mappings_are_read_only(accepted):
    manifest = accepted()
    with pytest.raises(TypeError):
        manifest.packages["evil"] = Package()
    with pytest.raises(AttributeError):
        manifest.packages = {}


def test_equality_is_by_meaning(document):
    raw = document()
    assert parse_manifest(raw) == parse_manifest(raw.replace(b"\n", b"").replace(b"Packages", b"packages"))
    assert parse_manifest(raw) != parse_manifest(document({"Marbles/baker/MaxActivations": 1}))


def test_secrets_carry_their_template(accepted):
    manifest = accepted(
        {
            "Secrets/c": {
                "Type": "cert-ecdsa",
                "Size": 256,
                "Shared": True,
                "Cert": {
                    "Subject": {"CommonName": "x", "Organization": ["O"]},
                    "DNSNames": [],
                    "IPAddresses": ["::ffff:10.0.0.1", "2001:DB8::1"],
                    "URIs": [{"Scheme": "https", "Host": "h", "Path": "/a b", "Fragment": "f"}],
                    "KeyUsage": 33,
                    "ExtKeyUsage": [1],
                    "MaxPathLen": -1,
                    "NotAfter": "2030-01-01T01:00:00.123456789+01:00",
                    "SerialNumber": 42,
                    "NotBefore": "whatever",
                },
            }
        }
    )
    assert manifest.secrets["c"] == SecretDefinition(
        type=SecretType.CERT_ECDSA,
        size=256,
        shared=True,
        certificate=CertificateTemplate(
            subject=SubjectTemplate(common_name="x", organization=("O",)),
            dns_names=(),
            ip_addresses=(ip_address("10.0.0.1"), ip_address("2001:db8::1")),
            uris=("https://h/a%20b#f",),
            key_usage=33,
            ext_key_usage=(1,),
            max_path_len=-1,
            not_after=datetime(2030, 1, 1, 0, 0, 0, 123456, tzinfo=UTC),
        ),
    )


def test_the_definition_of_a_secret_is_compared_without_its_template():
    first = SecretDefinition(type=SecretType.CERT_ED25519, valid_for=3)
    assert first.same_definition(
        SecretDefinition(type=SecretType.CERT_ED25519, valid_for=3, certificate=CertificateTemplate())
    )
    assert not first.same_definition(SecretDefinition(type=SecretType.CERT_ED25519))


def test_tags_roles_and_config(accepted, keys, certificates):
    manifest = accepted(
        {
            "TLS/t": {
                "Incoming": [{"Port": "1"}, {"Port": "2", "Cert": "c", "DisableClientAuth": True}],
                "Outgoing": [{"Addr": "a", "Port": "b"}],
            },
            "Secrets/c": {"Type": "cert-ed25519"},
            "Roles/r": {"ResourceType": "Secrets", "ResourceNames": [], "Actions": ["READSECRET"]},
            "Users/ada": {"Certificate": certificates["ada"], "Roles": ["r"]},
            "RecoveryKeys": {"a": keys["strong"], "b": keys["strong"]},
            "Config": {
                "SealMode": "UniqueKey",
                "FeatureGates": ["signquoteendpoint", "SIMULATION"],
                "RecoveryThreshold": 2,
                "RotateRootSecret": True,
            },
            "Simulation": True,
        }
    )
    assert manifest.tls["t"].incoming == (
        Incoming(port="1"),
        Incoming(port="2", cert="c", disable_client_auth=True),
    )
    assert manifest.tls["t"].outgoing == (Outgoing(addr="a", port="b"),)
    assert manifest.roles["r"].resource_type is ResourceType.SECRETS
    assert manifest.roles["r"].actions == (Action.READ_SECRET,)
    assert manifest.users["ada"].certificate.subject.rfc4514_string() == "CN=ada"
    assert manifest.recovery_keys["a"] == manifest.recovery_keys["b"]
    assert manifest.config.seal_mode is SealMode.UNIQUE_KEY
    assert manifest.config.feature_gates == {FeatureGate.SIGN_QUOTE_ENDPOINT, FeatureGate.SIMULATION}
    assert manifest.config.rotate_root_secret
    assert manifest.simulation


def test_access_rules(accepted):
    manifest = accepted(
        {
            "Config/FeatureGates": ["access"],
            "Access": [{"From": ["@anyone", "baker"], "To": "baker", "Ports": ["443", "8000-8010", "*"]}],
        }
    )
    assert manifest.access == (
        AccessRule(
            from_=("@anyone", "baker"),
            to="baker",
            ports=(PortRange(first=443, last=443), PortRange(first=8000, last=8010), ALL_PORTS),
        ),
    )


def test_no_gate_means_no_rules_and_an_empty_list_means_nobody(accepted):
    assert accepted().access is None
    assert accepted({"Config/FeatureGates": ["Access"], "Access": []}).access == ()


def test_names_are_sorted_into_names_and_addresses(accepted):
    names = ["Shop.Example", "10.0.0.1", "::1", "shop.example", "_srv"]
    manifest = accepted({"Config/FeatureGates": ["Names"], "Marbles/baker/Names": names})
    assert manifest.marbles["baker"].names == Names(
        dns=("shop.example", "_srv"), ips=(ip_address("10.0.0.1"), ip_address("::1"))
    )
    assert accepted().marbles["baker"].names is None


@pytest.mark.parametrize(
    ("written", "seconds"),
    [(86400, 86400), ("24h", 86400), ("1h30m", 5400), ("1.5h", 5400), ("10500ms", 10.5)],
)
def test_lifetimes_are_seconds_or_durations(accepted, written, seconds):
    manifest = accepted(
        {"Config/FeatureGates": ["Certificate"], "Marbles/baker/Certificate": {"Lifetime": written}}
    )
    assert manifest.marbles["baker"].certificate.lifetime == timedelta(seconds=seconds)


def test_infrastructures_are_kept_leniently(accepted):
    changes = {"Infrastructures/i": {"QESVN": 2, "PCESVN": None, "CPUSVN": [0, None, 2], "RootCA": "AwQ="}}
    assert accepted(changes, lenient=True).infrastructures["i"] == Infrastructure(
        qe_svn=2, cpu_svn=b"\0\0\2", root_ca=b"\3\4"
    )
